"""Schemes: what the text means, its canonical form, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr.errors import InputError
from edgeasr.quantize import schemes


@pytest.mark.parametrize(
    ("text", "canonical", "bits"),
    [
        ("uniform8", "uniform8/channel/max", 8),
        ("uniform4", "uniform4/channel/mse", 4),
        ("uniform4/tensor/max", "uniform4/tensor/max", 4),
        ("uniform2/mse/tensor", "uniform2/tensor/mse", 2),
        ("pot4/channel/mse", "pot4/channel/mse", 4),
        ("codebook16", "codebook16/tensor/mse", 4),
        ("codebook16/tensor/scales:tensor", "codebook16/tensor/mse/scales:tensor", 4),
        ("codebook16/scales:channel", "codebook16/tensor/mse", 4),
        ("codebook8/group:8", "codebook8/group:8/mse", 3),
        ("codebook32/channel/max", "codebook32/channel/max", 5),
        ("codebook2", "codebook2/tensor/mse", 1),
        ("ternary", "ternary/channel/mse", 2),
        ("uniform4/percentile:99.9", "uniform4/channel/percentile:99.9", 4),
        ("table:-64,-16,-4,0,4,16,64/tensor/max", "table:-64,-16,-4,0,4,16,64/tensor/max", 3),
        (" uniform3/learned ", "uniform3/channel/learned", 3),
    ],
)
def test_text(text, canonical, bits):
    scheme = schemes.parse(text)
    assert str(scheme) == canonical
    assert schemes.parse(canonical) == scheme
    assert scheme.bits == bits


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("uniform2", [-1, 0, 1]),
        ("uniform3", [-3, -2, -1, 0, 1, 2, 3]),
        ("uniform8", list(range(-127, 128))),
        ("ternary", [-1, 0, 1]),
        ("pot2", [-1, 0, 1]),
        ("pot3", [-4, -2, -1, 0, 1, 2, 4]),
        ("pot4", [-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64]),
        ("table:-8,1,127", [-8, 1, 127]),
    ],
)
def test_levels(text, levels):
    assert schemes.parse(text).levels().tolist() == levels


def test_a_codebook_has_no_levels_of_its_own():
    assert schemes.parse("codebook8").levels() is None


@pytest.mark.parametrize(
    ("text", "group"),
    [("uniform4/tensor", 12), ("uniform4", 1), ("uniform4/group:8", 6), ("uniform4/group:5", 4)],
)
def test_groups_are_even(text, group):
    assert schemes.parse(text).group_of(12) == group


@given(st.integers(1, 300), st.integers(1, 300))
def test_groups_are_no_larger_than_asked_and_found_again_from_their_number(channels, most):
    group = schemes.parse(f"codebook4/group:{most}").group_of(channels)
    tables = -(-channels // group)
    assert group <= most
    assert tables == -(-channels // most)
    assert group == -(-channels // tables)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'kind "" is not known; allowed: uniform8, 6'),
        ("binary", 'kind "binary" is not known'),
        ("uniform", '"uniform" lacks its size; allowed: uniform8, 6, 5, 4, 3 or 2 (bits)'),
        ("uniform7", "uniform of 7 does not exist; allowed: uniform8, 6, 5, 4, 3 or 2"),
        ("pot5", "pot of 5 does not exist; allowed: pot4, 3 or 2"),
        ("codebook65", "codebook of 65 does not exist; allowed: codebook2 to codebook64"),
        ("ternary/channels", '"channels" is not known; allowed: channel, group:N, learned, max'),
        ("uniform4/tensor/channel", "names its granularity twice"),
        ("uniform4/max/mse", "names its rule twice"),
        ("uniform4/group:0", "group:N takes a whole number"),
        ("uniform4/percentile:101", "percentile:P takes a number above 0, at most 100"),
        ("uniform4/scales:tensor", "is for codebooks"),
        ("codebook16/channel/scales:tensor", "goes with one table"),
        ("table:1,b", 'level "b" is no whole number'),
        ("table:-1,0.5", 'level "0.5" is no whole number'),
        ("table:-1,1,0", "levels 1, 0 do not ascend"),
        ("table:-1,0,0,1", "levels 0, 0 do not ascend"),
        ("table:-128,0,1", "level -128 is outside -127..127"),
        ("table:-1,0", "weights have both signs"),
        ("table:0,1", "weights have both signs"),
        ("table:4", "1 levels; 2 to 64 are allowed"),
        (f"table:{','.join(map(str, range(-32, 33)))}", "65 levels; 2 to 64 are allowed"),
    ],
)
def test_what_is_refused(text, said):
    with pytest.raises(InputError) as caught:
        schemes.parse(text)
    assert str(caught.value).startswith(f'scheme "{text}": ')
    assert said in str(caught.value)
