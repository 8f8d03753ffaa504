"""Every architecture: shapes, cost, and that it can be built for other windows."""

import pytest

from edgeasr.errors import InputError
from edgeasr.models import architectures
from tests.conftest import need_package

need_package("keras")


@pytest.mark.parametrize("name", architectures.NAMES)
def test_scores_are_one_per_label(name):
    model = architectures.build(name, 49, 40, 12)
    assert model.output.shape == (None, 12)
    assert {"embedding", "logits", "scores"} <= {layer.name for layer in model.layers}


@pytest.mark.parametrize("name", architectures.NAMES)
def test_other_windows_can_be_used(name):
    assert architectures.build(name, 49, 13, 3).output.shape == (None, 3)


def test_macs_of_a_network_worked_out_by_hand():
    model = architectures.build("cnn_tiny", 49, 40, 12)
    first = 25 * 20 * 16 * 3 * 3
    second = 13 * 10 * 24 * 3 * 3 * 16
    third = 7 * 5 * 32 * 3 * 3 * 24
    assert architectures.macs(model) == first + second + third + 32 * 12


def test_the_zoos_network_is_small_enough_for_a_cortex_m4():
    model = architectures.build("ds_resnet", 49, 40, 12)
    assert architectures.macs(model) < 5_000_000
    assert model.count_params() < 40_000


def test_sizes_of_ds_cnn_are_in_order():
    sizes = [architectures.build(f"ds_cnn_{size}", 49, 40, 12).count_params() for size in "sml"]
    assert sizes == sorted(sizes)
    # Zhang et al., "Hello Edge" (2017), table 4: the small one has 24 k parameters of 10 features.
    small = architectures.build("ds_cnn_s", 49, 10, 12).count_params()
    assert 22_000 < small < 26_000


def test_an_unknown_name_gets_the_list():
    with pytest.raises(InputError, match=r'"resnet50" is not known; allowed: cnn_tiny'):
        architectures.build("resnet50", 49, 40, 12)


def test_a_window_too_small_is_refused():
    with pytest.raises(InputError, match="window of 4 x 40"):
        architectures.build("cnn_tiny", 4, 40, 12)
