"""Changes of pictures: what they keep, what they move, and that seeds fix them."""

from dataclasses import replace

import numpy as np
import pytest

from edgeasr.models import picture
from edgeasr.models.picture import PictureSpec

STILL = PictureSpec(
    warp=0, bend=0, stretch=0, shift_frames=0, equalize=0, level=0, frequency_masks=0, time_masks=0
)  # fmt: skip


@pytest.fixture
def windows():
    return np.random.default_rng(5).normal(size=(6, 49, 40)).astype(np.float32)


def changed(windows, spec, seed=1):
    return picture.change(windows, spec, np.random.default_rng(seed))


def test_nothing_asked_for_changes_nothing(windows):
    assert np.allclose(changed(windows, STILL), windows, atol=1e-2)


def test_pictures_keep_their_shape_and_type(windows):
    made = changed(windows, PictureSpec())
    assert made.shape == windows.shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


def test_the_same_seed_gives_the_same_pictures(windows):
    assert np.array_equal(changed(windows, PictureSpec()), changed(windows, PictureSpec()))
    assert not np.array_equal(changed(windows, PictureSpec()), changed(windows, PictureSpec(), 2))


def test_the_input_is_left_alone(windows):
    before = windows.copy()
    changed(windows, PictureSpec())
    assert np.array_equal(windows, before)


def test_warp_moves_high_features_more_than_low_ones():
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32), (50, 49, 40))
    made = changed(ramp, replace(STILL, warp=0.1))
    moved = np.abs(made - ramp).mean(axis=(0, 1))
    assert moved[0] == 0
    assert moved[5] < moved[15] < moved[30]
    assert moved[30] <= 3.0 + 1e-3


def test_the_shift_in_time_stays_within_its_frames():
    pulse = np.zeros((200, 49, 40), np.float32)
    pulse[:, 24] = 1
    made = changed(pulse, replace(STILL, shift_frames=4))
    places = made[:, :, 0].argmax(axis=1)
    assert {*places} == set(range(20, 29))


def test_masks_hide_bands_of_zero_no_wider_than_asked():
    ones = np.ones((300, 49, 40), np.float32)
    made = changed(ones, replace(STILL, frequency_masks=1, frequency_mask=6))
    widths = (made[:, 0] == 0).sum(axis=1)
    assert widths.max() == 6
    assert widths.min() == 0
    assert (made == made[:, :1]).all()


def test_mixing_keeps_the_sum_of_targets_and_the_first_picture_ahead(windows):
    targets = np.eye(6, dtype=np.float32)
    mixed, blended = picture.mix(windows, targets, 0.3, np.random.default_rng(3))
    assert mixed.shape == windows.shape
    assert np.allclose(blended.sum(axis=1), 1)
    assert (np.diag(blended) >= 0.5).all()
