"""Recognisers in Keras: architectures by name, what they learn from, and how they are trained.

TensorFlow is imported inside the functions that use it: naming and listing models needs none.
"""

from edgeasr.models.architectures import NAMES, build, macs

__all__ = ["NAMES", "build", "macs"]
