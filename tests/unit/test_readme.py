"""The README: its numbers come from the repo, and what it names exists."""

import json
import re
from pathlib import Path

import pytest

from edgeasr import boards, paths
from edgeasr.cli import _COMMANDS
from edgeasr.report import study
from edgeasr.training import recipes

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "README.md").read_text()


@pytest.mark.parametrize("model", ["digits", "keywords"])
def test_the_zoo_is_as_its_cards_say(model: str) -> None:
    card = json.loads((paths.zoo() / f"{model}.json").read_text())
    test = card["test"]
    row = (
        f"| `{model}` | {test['clips']} | {100 * test['accuracy_float']:.1f} % | "
        f"{100 * test['accuracy']:.1f} % | {card['size_bytes']:,} B | {card['macs']:,} |"
    )

    assert row in _TEXT
    assert card["command"] in _TEXT
    assert (paths.zoo() / f"{model}.tflite").stat().st_size == card["size_bytes"]


def test_what_few_bits_cost_is_as_the_study_says() -> None:
    made = study.load(paths.zoo() / "quantization.json")
    digits, keywords = made.models

    assert made.command in _TEXT
    assert [row.recipe for row in digits.rows] == [recipe.name for recipe in recipes.goals()]
    for row, other in zip(digits.rows, keywords.rows, strict=True):
        cells = [
            f"{100 * one.accuracy:.2f} % ({-model.points_lost(one):+.2f})"
            for model, one in ((digits, row), (keywords, other))
        ]
        line = (
            f"| `{row.recipe}` | {cells[0]} | {cells[1]} | {100 * digits.share(row):.1f} % | "
            f"{row.instructions:,} | {-row.goal.points:g}, {100 * row.goal.share:g} % |"
        )
        assert line in _TEXT
        assert len(row.seeds) == 3


def test_commands_boards_and_files_exist() -> None:
    for command in re.findall(r"(?:`|\$ |^    )edgeasr ([a-z]+)", _TEXT, re.MULTILINE):
        assert command in _COMMANDS, command
    for board in re.findall(r"--board ([a-z0-9_]+)\b", _TEXT):
        assert board in (*boards.names(), "my_board"), board
    for name in re.findall(
        r"`((?:edgeasr|boards|firmware_templates|tests|tools)/[\w./-]*)`", _TEXT
    ):
        assert (_ROOT / name).exists(), name
