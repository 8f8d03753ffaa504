"""What needs no training starts with the packages of the base lock alone."""

import subprocess
import sys
from pathlib import Path

import pytest

_LOCK = Path(__file__).parents[2] / "tools" / "lock" / "base.txt"
# Refuses every package that the base lock does not name, as if it were not installed.
_RUN = """
import importlib.metadata, re, sys
locked = set(re.findall(r"(?m)^([A-Za-z0-9._-]+)==", open(sys.argv[1]).read()))
known = {re.sub(r"[-_.]+", "-", name).lower() for name in locked} | {"edgeasr"}
foreign = {
    module
    for module, names in importlib.metadata.packages_distributions().items()
    if not {re.sub(r"[-_.]+", "-", name).lower() for name in names} & known
}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in foreign:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
sys.argv[:] = ["edgeasr", *sys.argv[2:]]
from edgeasr.cli import main
main()
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",), ("boards",), ("inspect", "digits"), ("quantize", "--list"),
        ("export", "digits", "--board", "host", "--out", "made"),
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_a_command_needs_the_base_packages_alone(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(_LOCK), *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
