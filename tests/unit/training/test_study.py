"""A study from end to end on tones: trials, a search, firmware on this computer, a page."""

import json

import pytest
from typer.testing import CliRunner

from edgeasr import study, training
from edgeasr.errors import InputError
from edgeasr.quantize.executors import Serial
from edgeasr.report import study as page
from edgeasr.training.recipes import Goal, QuantizationRecipe, Schooling
from tests.conftest import need_package

need_package("keras")
need_package("matplotlib")
SHORT = Schooling(epochs=1)
RECIPES = (
    QuantizationRecipe("int8", goal=Goal(100, 1)),
    QuantizationRecipe(
        "mixed", "codebook8", when="aware", search=True, schooling=SHORT, goal=Goal(100, 0.6)
    ),
)


@pytest.fixture(scope="module")
def made(trained, data, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    training.write(trained, folder, "edgeasr train digits")
    plan = study.Plan(
        (str(folder / "digits.keras"),), data, folder / "out", RECIPES, (1, 2), "host", clips=4,
        evaluations=40, voices=0,
    )  # fmt: skip
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEASR_CACHE", str(cache))
        observer = training.Observer()
        found = study.run(plan, Serial(), observer, lambda model, step: steps.append(step))
        again = study.run(plan, Serial(), observer)
    return found, again, steps


def test_each_recipe_is_a_row_with_its_seeds_and_command(made):
    found = made[0]
    (model,) = found.models
    assert [row.recipe for row in model.rows] == ["int8", "mixed"]
    assert all(len(row.seeds) == 2 for row in model.rows)
    assert model.rows[1].scheme == "mixed by layer"
    assert "--recipe mixed" in model.rows[1].command
    assert model.share(model.rows[1]) <= 0.6
    assert model.reached(model.rows[1])


def test_the_search_keeps_its_budget_and_is_not_repeated(made):
    found, again, steps = made
    model = found.models[0]
    best = model.search.points[model.search.best]
    assert best.flash_bytes <= 0.6 * model.int8_weight_bytes
    assert all(point.instructions > 0 for point in model.search.points)
    assert len({step.phase for step in steps}) > 1
    assert again.to_dict() == found.to_dict()


def test_layers_tell_what_became_of_them(made):
    found = made[0]
    (table,) = found.models[0].layers
    assert table.recipe == "mixed"
    assert (
        sum(row.bytes_after for row in table.rows) == found.models[0].rows[1].seeds[0].weight_bytes
    )
    assert all(row.accuracy_lost_alone is not None for row in table.rows)
    (shown,) = found.models[0].histograms
    for histogram, row in zip(shown.histograms, table.rows, strict=True):
        assert sum(histogram.counts) == row.bytes_before


def test_the_study_is_written_and_read_back(made, tmp_path):
    found = made[0]
    files = page.write(found, tmp_path)
    assert {file.suffix for file in files} == {".json", ".html"}
    (kept,) = (file for file in files if file.suffix == ".json")
    assert page.load(kept) == found


def test_a_study_without_recordings_is_refused():
    from edgeasr.cli.quantize import app

    outcome = CliRunner().invoke(app, ["digits", "--study"])
    assert isinstance(outcome.exception, InputError)
    assert "give them with --data" in str(outcome.exception)


@pytest.mark.parametrize(
    "words, message",
    [
        (["digits", "--recipe", "int9"], 'recipe "int9" is not known'),
        (["digits", "--layer", "first"], r'--layer "first": as 4=uniform8'),
        (["digits", "--weights", "uniform7"], "uniform of 7 does not exist"),
        (["digits", "keywords"], "2 models; one at a time is quantized"),
        (["digits", "--recipe", "float16", "--board", "rpi4"], "the nearest is --activations int8"),
    ],
)
def test_wrong_words_are_refused_before_any_work(words, message):
    from edgeasr.cli.quantize import app

    outcome = CliRunner().invoke(app, words)
    assert isinstance(outcome.exception, InputError), outcome.output
    assert message in str(outcome.exception)


def test_the_list_names_every_recipe():
    from edgeasr.cli.quantize import app
    from edgeasr.training.recipes import RECIPES as NAMED

    outcome = CliRunner().invoke(app, ["--list", "--json"])
    assert {row["name"] for row in json.loads(outcome.output)} == set(NAMED)
