"""Fixtures that many tests share."""

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

# The same examples every time: what a test finds, it finds again. No deadline: machines differ.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

_ROOT = Path(__file__).resolve().parent.parent


def missing(what: str) -> None:
    """Skip the test that lacks `what`, by name; in CI a missing tool or data set is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing", allow_module_level=True)


def need(*programs: str) -> None:
    """Skip the test, or fail it in CI, unless every program is on PATH."""
    for program in programs:
        if shutil.which(program) is None:
            missing(f"program {program}")


def need_package(name: str) -> ModuleType:
    """Import a package that the lock has; without it skip the test, or all of the file's, as above.

    What the lock leaves out (PyTorch) is for pytest.importorskip, which skips in CI too.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        missing(f"package {name}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings and third-party models: $EDGEASR_DATA, else beside the checkout."""
    folder = Path(os.environ.get("EDGEASR_DATA") or _ROOT.parent / "shared" / "data")
    if not (folder / "digits" / "manifest.csv").is_file():
        missing(f"the folder of recordings ({folder.name}; set EDGEASR_DATA)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the generated text into tests/golden instead of comparing it",
    )
