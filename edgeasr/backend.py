"""Keras with TensorFlow, loaded only where something is trained or quantized."""

import contextlib
import logging

from edgeasr import process
from edgeasr.errors import ToolError


def load_keras():
    """Import Keras with TensorFlow, or raise ToolError with the command that installs them."""
    try:
        with process.quiet():
            import keras
            import tensorflow as tf
    except ImportError as error:
        raise ToolError(
            f"{error.name}: not installed; training and quantizing need TensorFlow; "
            "install it with: pip install 'edgeasr[train]'"
        ) from None
    # It warns of functions traced anew, as each grid of a layer makes needful.
    tf.get_logger().setLevel(logging.ERROR)
    return keras


def one_thread() -> None:
    """Let TensorFlow compute with one thread: the same sums in the same order every time.

    Once something was computed it is too late, and nothing changes.
    """
    load_keras()
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
