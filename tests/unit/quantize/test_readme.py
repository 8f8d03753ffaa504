"""The examples of the page on grids give what it says, and its table names all kinds there are."""

import doctest
import re
from pathlib import Path

import pytest

from edgeasr import quantize
from edgeasr.quantize import schemes

README = (Path(quantize.__file__).parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_it_has_examples():
    assert len(BLOCKS) >= 9


@pytest.mark.parametrize("place", range(1, len(BLOCKS)))
def test_an_example(place, capsys):
    names: dict[str, object] = {}
    runner = doctest.DocTestRunner()
    for block in (BLOCKS[0], BLOCKS[place]):
        found = doctest.DocTestParser().get_doctest(block, names, "README.md", None, 0)
        assert found.examples
        runner.run(found, clear_globs=False)
        names = found.globs
    assert runner.failures == 0, capsys.readouterr().out


@pytest.mark.parametrize("text", sorted(set(re.findall(r"^\| (`[a-z].*?) \|", README, re.M))))
def test_the_kinds_of_the_table_exist(text):
    for kind in re.findall(r"`([^`]*)`", text):
        if kind in ("tensor", "channel", "group:N", "max", "mse", "learned", "percentile:P"):
            kind = "codebook8/" + kind.replace("N", "4").replace("P", "99")
        assert schemes.parse(kind)
