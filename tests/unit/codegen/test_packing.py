"""Packing: values come back, sizes keep their bounds, and the smallest form is the one chosen."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr.codegen.packing import FORMS, Packed, candidates, pack, pack_raw, unpack, worth_linking
from edgeasr.codegen.packing.even import exponent_table, trits_to_words, words_to_trits
from edgeasr.codegen.packing.layout import BLOCK_BYTES, BLOCK_BYTES_MOST, Layout
from edgeasr.codegen.packing.linking import CODE_BYTES, functions

_SHAPES = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 4), st.integers(1, 4), st.integers(1, 20)).map(
        lambda shape: (shape, 0)
    ),
    st.tuples(st.just(1), st.integers(1, 5), st.integers(1, 5), st.integers(1, 70)).map(
        lambda shape: (shape, 3)
    ),
    st.tuples(st.integers(1, 20), st.integers(1, 1300)).map(lambda shape: (shape, 0)),
)


@st.composite
def _weights(draw: st.DrawFn, levels: st.SearchStrategy[list[int]]) -> tuple[np.ndarray, int]:
    """Random weights on random levels, and the axis of their output channels."""
    shape, axis = draw(_SHAPES)
    grid = np.array(draw(levels))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    return rng.choice(grid, shape).astype(np.int8), axis


def _even(bits: int) -> st.SearchStrategy[list[int]]:
    """Levels of a symmetric grid of so many bits, times a step that fits int8."""
    reach = max((1 << (bits - 1)) - 1, 1)
    steps = st.integers(1, 127 // reach)
    return steps.map(lambda step: [step * level for level in range(-reach, reach + 1)])


_ANY = st.lists(st.integers(-128, 127), min_size=1, max_size=80)


@given(_weights(_ANY))
def test_every_candidate_has_the_values(weights: tuple[np.ndarray, int]) -> None:
    values, axis = weights

    for packed in candidates(values, axis):
        assert np.array_equal(unpack(packed), values), packed.name
        assert packed.unpacker is None or packed.unpacker in CODE_BYTES


@given(_weights(_ANY))
def test_candidates_are_sorted_and_the_first_is_packed(weights: tuple[np.ndarray, int]) -> None:
    values, axis = weights
    found = candidates(values, axis)

    assert [p.bytes for p in found] == sorted(p.bytes for p in found)
    assert pack(values, axis).bytes == found[0].bytes <= values.size
    order = list(FORMS)
    ties = [order.index(p.form) for p in found if p.bytes == found[0].bytes]
    assert ties == sorted(ties)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6])
def test_uniform_takes_its_bits_and_no_more(bits: int) -> None:
    @given(_weights(_even(bits)))
    def check(weights: tuple[np.ndarray, int]) -> None:
        values, axis = weights
        found = {p.form: p for p in candidates(values, axis)}
        uniform = found["uniform"]
        assert uniform.bits <= bits
        # Parted codes end in two words that are not full.
        padding = 8 * len(uniform.unit_counts())
        assert uniform.bytes <= math.ceil(values.size * bits / 8) + padding

    check()


@given(_weights(st.integers(1, 127).map(lambda m: [-m, 0, m])))
def test_ternary_takes_a_fifth_of_a_byte(weights: tuple[np.ndarray, int]) -> None:
    values, axis = weights
    found = {p.form: p for p in candidates(values, axis)}
    ternary = found["ternary"]

    assert ternary.bytes <= math.ceil(values.size / 5) + 4 * len(ternary.unit_counts())


@given(_weights(st.just([0, 1, -1, 2, -2, 4, -4, 8, -8, 16, -16, 32, -32, 64, -64])))
def test_power_of_two_takes_four_bits_and_no_table(weights: tuple[np.ndarray, int]) -> None:
    values, axis = weights
    found = {p.form: p for p in candidates(values, axis)}
    if len(np.unique(np.abs(values[values != 0]))) < 2:
        assert "exponent" not in found and "ternary" in found
        return
    exponent = found["exponent"]

    assert exponent.bits <= 4 and not exponent.tables.size
    assert exponent.bytes <= math.ceil(values.size / 2) + 8 * len(exponent.unit_counts())


def test_codebook_takes_index_bits_and_its_table() -> None:
    rng = np.random.default_rng(1)
    book = rng.choice(np.arange(-127, 128), 16, replace=False)
    values = rng.choice(book, (64, 3, 3, 8)).astype(np.int8)

    packed = pack(values, 0)

    assert packed.name == "table4"
    assert packed.tables.tolist() == [sorted(book.tolist())]
    assert packed.bytes == values.size // 2 + 16


@pytest.mark.parametrize("group", [1, 2, 3, 4, 8, 24])
def test_tables_of_groups_of_channels_are_found(group: int) -> None:
    rng = np.random.default_rng(group)
    parts = [
        rng.choice(rng.choice(np.arange(-128, 128), 16, replace=False), (group, 400))
        for _ in range(48 // group)
    ]
    values = np.concatenate(parts).astype(np.int8)

    packed = pack(values, 0)

    assert packed.name == "table4"
    assert packed.tables.shape == (48 // group, 16)
    assert packed.bytes == values.size // 2 + 16 * (48 // group)
    assert packed.block % packed.unit == 0 and group % packed.unit == 0


def test_depthwise_tables_are_shared_by_fours() -> None:
    rng = np.random.default_rng(5)
    parts = [
        rng.choice(rng.choice(np.arange(-128, 128), 4, replace=False), (1, 10, 10, 8))
        for _ in range(4)
    ]
    values = np.concatenate(parts, axis=3).astype(np.int8)

    packed = pack(values, 3)

    assert packed.name == "table2" and packed.tables.shape == (4, 4)
    assert packed.unit == packed.block == 8


def test_sparse_weights_are_runs() -> None:
    rng = np.random.default_rng(2)
    few = rng.choice(np.array([-9, -4, 5, 11], np.int8), (32, 200))
    values = np.where(rng.random(few.shape) < 0.93, 0, few).astype(np.int8)

    packed = pack(values, 0)

    # One byte for each value that is not 0, and a few for long runs.
    assert packed.form == "runs"
    assert packed.bytes < 1.3 * np.count_nonzero(values)


def test_dense_values_stay_raw() -> None:
    values = np.random.default_rng(3).integers(-128, 128, (16, 40)).astype(np.int8)

    packed = pack(values, 0)

    assert packed.name == "raw" and packed.unpacker is None
    assert packed.bytes == values.size and packed.scratch_bytes == 0


@given(_SHAPES)
def test_blocks_keep_scratch_small(shape_and_axis: tuple[tuple[int, ...], int]) -> None:
    shape, axis = shape_and_axis
    layout = Layout.of(shape, axis)

    assert 1 <= layout.block <= layout.channels
    if layout.block < layout.channels:
        assert layout.block % 4 == 0 or layout.block == 1
    assert layout.block * layout.row <= max(BLOCK_BYTES, 4 * layout.row)
    if len(shape) == 2:
        assert layout.block * layout.row <= max(BLOCK_BYTES_MOST, layout.row)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=200))
def test_trits_come_back(trits: list[int]) -> None:
    words = trits_to_words(np.array(trits, np.uint8))

    assert words_to_trits(words, len(trits)).tolist() == trits
    assert len(words) == -(-len(trits) // 20)


def test_all_bytes_of_five_trits_come_back() -> None:
    numbers = np.arange(243)
    trits = np.stack([numbers // 3**p % 3 for p in range(4, -1, -1)])
    planes = np.zeros((61, 5, 4), np.uint8)
    for number in range(243):
        planes[number // 4, :, number % 4] = trits[:, number]
    flat = planes.ravel()

    assert np.array_equal(words_to_trits(trits_to_words(flat), len(flat)), flat)


def test_exponent_codes() -> None:
    assert exponent_table(3, 16).tolist() == [0, 16, 32, 64, 0, -16, -32, -64]
    assert exponent_table(4, 1).tolist()[9:] == [-1, -2, -4, -8, -16, -32, -64]


def test_channels_along_a_middle_axis_are_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="axis 1"):
        pack(np.zeros((2, 3, 4), np.int8), 1)


def _sizes(*named: tuple[str, int]) -> list[Packed]:
    """Candidates of one tensor, with only what linking looks at."""
    found = []
    for form, size in named:
        raw = pack_raw(np.zeros((1, size), np.int8), 0)
        name, bits = form.rstrip("0123456789"), int(form.strip("abcdefghijklmnopqrstuvwxyz") or 8)
        found.append(Packed(name, bits, raw.layout, raw.data, block=1, unit=1, unit_words=1))
    return sorted(found, key=lambda p: p.bytes)


def test_an_unpacker_is_linked_when_all_it_saves_pays_for_its_code() -> None:
    saves = CODE_BYTES["ear_weights_uniform4"] // 2
    one = _sizes(("raw", 1000), ("uniform4", 1000 - saves))

    assert worth_linking([one]) == frozenset()
    assert worth_linking([one, one, one]) == {"ear_weights_uniform4"}


def test_an_unpacker_gives_way_to_one_that_is_linked_anyway() -> None:
    large = _sizes(("raw", 9000), ("uniform4", 4500))
    small = _sizes(("raw", 400), ("uniform3", 150), ("uniform4", 200))

    assert worth_linking([large, small]) == {"ear_weights_uniform4"}


def test_exponents_bring_the_code_of_tables() -> None:
    assert functions("ear_weights_exponent3") == ("ear_weights_exponent3", "ear_weights_table3")
    assert functions("ear_weights_runs8") == ("ear_weights_runs8",)
