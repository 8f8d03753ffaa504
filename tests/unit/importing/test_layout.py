"""Axes that only change their names hold the same numbers as numpy's that are moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr.backend import load_keras
from edgeasr.importing import layout
from tests.conftest import need_package

need_package("keras")
SHAPE = (1, 2, 6, 4)


def start():
    keras = load_keras()
    held = keras.Input((6, 4, 2))
    return held, layout.Value(held, ((0,), (3,), (1,), (2,)))


def splits(count, parts):
    """Give shapes of `parts` sizes with a product of `count`."""
    if parts == 1:
        return [(count,)]
    sizes = [size for size in range(1, count + 1) if count % size == 0]
    return [(size, *rest) for size in sizes for rest in splits(count // size, parts - 1)]


def moves(seed):
    """Give a chain of transpositions and shapes that keep the batch, with numpy's of each."""
    rng = np.random.default_rng(seed)
    shape = SHAPE
    for _ in range(rng.integers(1, 6)):
        if rng.random() < 0.5:
            order = (0, *(1 + rng.permutation(len(shape) - 1)).tolist())
            shape = tuple(shape[axis] for axis in order)
            yield order, None
        else:
            choices = splits(48, int(rng.integers(1, 5)))
            shape = (1, *choices[rng.integers(len(choices))])
            yield None, shape


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_any_chain_of_moves_is_numpys(seed):
    from edgeasr.errors import InputError

    held, value = start()
    array = np.arange(48, dtype=np.float32).reshape(SHAPE)
    given_ = array.transpose(0, 2, 3, 1)
    for order, shape in moves(seed):
        try:
            value = layout.transpose(value, order) if order else layout.regroup(value, shape)
        except InputError:  # a dimension that would have to be split across two others
            value = layout.regroup(layout.plain(value), shape)
        array = array.transpose(order) if order else array.reshape(shape)
        assert value.shape == array.shape
    made = load_keras().Model(held, layout.plain(value).tensor)
    assert np.array_equal(np.asarray(made(given_)), array)


def test_a_flattened_picture_is_not_moved_but_its_order_told():
    held, value = start()
    tensor, order = layout.flat_order(layout.regroup(value, (1, 48)))
    array = np.arange(48, dtype=np.float32).reshape(SHAPE)
    made = np.asarray(load_keras().Model(held, tensor)(array.transpose(0, 2, 3, 1)))
    assert np.array_equal(made[0], array.ravel()[order])


@pytest.mark.parametrize("shape", [(2, 24), (1, 5, 10), (48,), ()])
def test_a_shape_that_merges_the_batch_or_does_not_fit_is_refused(shape):
    from edgeasr.errors import InputError

    with pytest.raises(InputError, match=r"batch|cannot become"):
        layout.regroup(start()[1], shape)
