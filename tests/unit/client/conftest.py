"""The device that the client's tests speak with: built once, started for each test."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr.link import ProcessLink
from tests.conftest import need
from tests.unit.client import fake


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("cc")
    return fake.build(tmp_path_factory.mktemp("fake_device"))


@pytest.fixture
def line(program: Path) -> Iterator[ProcessLink]:
    """A line to a device that allows no more than its window to be under way."""
    link = fake.start(program, check_window=True)
    yield link
    fake.stop(link)


@pytest.fixture
def rough_line(program: Path) -> Iterator[ProcessLink]:
    """A line to a device that bears anything."""
    link = fake.start(program)
    yield link
    fake.stop(link)


@pytest.fixture
def pcm() -> np.ndarray:
    """12,345 samples of noise."""
    return np.random.default_rng(7).integers(-32768, 32768, 12345).astype(np.int16)


@pytest.fixture
def stateful_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessLink]:
    """A line to a device whose model has state."""
    need("cc")
    folder = tmp_path_factory.mktemp("stateful_device")
    link = fake.start(fake.build(folder, defines=("-DFAKE_STATE_BYTES=4u",)))
    yield link
    fake.stop(link)


@pytest.fixture
def narrow_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessLink]:
    """A line to a device whose window is less than the longest frame."""
    need("cc")
    folder = tmp_path_factory.mktemp("narrow_device")
    program = fake.build(folder, defines=("-DEAR_PORT_RX_BYTES=256u",))
    link = fake.start(program, check_window=True)
    yield link
    fake.stop(link)
