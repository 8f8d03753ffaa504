"""The study: what does not fit is named by its place; the page is whole, safe and steady."""

import dataclasses
import json
import re
import sys
from html.parser import HTMLParser

import pytest

from edgeasr.errors import InputError, ToolError
from edgeasr.report import study, study_page
from edgeasr.report.study import Goal, Histogram, Model, Row, Search, Seed, Study
from tests.unit.report import sample

NASTY = "a<b>&\"'$\\alpha$ {{ 7*7 }} --></svg><script>alert(1)</script>"
_VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and insists that every element ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data + " "


@pytest.fixture(scope="module")
def page() -> str:
    return study_page.render(sample.study())


def _row(correct=(600,), clips=676, weight_bytes=13_000, goal=None) -> Row:
    seeds = tuple(Seed(i, c, clips, weight_bytes, 0) for i, c in enumerate(correct))
    return Row("q4", "uniform4/channel/mse", "QAT", "command", seeds, goal)


def _model(*rows: Row, reference: float = 0.9) -> Model:
    return Model("digits", "float model", reference, "command", 26_000, "test", rows)


def test_a_study_survives_json(tmp_path):
    whole = sample.study()
    file = tmp_path / "study.json"
    file.write_text(json.dumps(whole.to_dict(), allow_nan=False))
    assert study.load(file) == whole


def test_a_study_is_written_as_data_and_as_a_page(tmp_path, page):
    files = study.write(sample.study(), tmp_path / "made")

    assert [file.name for file in files] == ["study.json", "study.html"]
    assert study.load(files[0]) == sample.study()
    assert files[1].read_text() == page
    assert sorted(files[0].parent.iterdir()) == sorted(files)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda v: v.pop("command"), r'study: "command" is missing'),
        (lambda v: v.update(extra=1), r'study: "extra" is not known; allowed: command, models, ve'),
        (lambda v: v.update(models={}), r"study\.models: \{\} is not a list"),
        (lambda v: v["models"].append(3), r"study\.models\[1\]: 3 is not an object"),
        (lambda v: v.update(versions={"a": 1}), r"study\.versions\.a: 1 is not text"),
        (
            lambda v: v["models"][0]["rows"][2]["seeds"][1].update(correct="12"),
            r"study\.models\[0\]\.rows\[2\]\.seeds\[1\]\.correct: '12' is not a whole number",
        ),
        (
            lambda v: v["models"][0]["rows"][2]["seeds"][1].update(correct=True),
            r"correct: True is not a whole number",
        ),
        (
            lambda v: v["models"][0].update(reference_accuracy=float("nan")),
            r"study\.models\[0\]\.reference_accuracy: nan is not a finite number",
        ),
        (
            lambda v: v["models"][0]["rows"][0]["seeds"][0].update(correct=900),
            r"rows\[0\]\.seeds\[0\]: 900 of 676 clips cannot be correct",
        ),
        (
            lambda v: v["models"][0]["search"].update(best=90),
            r"study\.models\[0\]\.search: best 90 is not one of 90 points",
        ),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(change, message):
    values = json.loads(json.dumps(sample.study().to_dict()))
    change(values)
    with pytest.raises(InputError, match=message):
        Study.from_dict(values)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Seed(1, 1, 0, 1), "1 of 0 clips cannot be correct"),
        (lambda: Seed(1, 1, 2, 0), "weight_bytes 0 must be above 0"),
        (lambda: Seed(1, 1, 2, 1, 3), "3 of 2 clips cannot disagree"),
        (lambda: Goal(-1, 0.5), "goal of -1 points"),
        (lambda: _row(correct=()), 'recipe "q4" has no seed'),
        (
            lambda: Row("q4", "s", "QAT", "c", (Seed(1, 1, 2, 1), Seed(1, 1, 2, 1))),
            r"has a seed twice: \[1, 1\]",
        ),
        (lambda: _model(reference=90.5), "accuracy 90.5 is not between 0 and 1"),
        (lambda: Histogram("a", (0, 1), (1, 2), ()), "2 edges do not bound 2 counts"),
        (lambda: Histogram("a", (0, 1, 1), (1, 2), ()), "the edges do not rise"),
        (lambda: Histogram("a", (0, 1, 2), (1, -2), ()), "a count is below 0"),
        (lambda: Search("c", "r", (), 0), "best 0 is not one of 0 points"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("text, message", [("{", "not JSON"), ("[]", r"\[\] is not an object")])
def test_a_file_that_is_no_study_is_named(tmp_path, text, message):
    file = tmp_path / "study.json"
    file.write_text(text)
    with pytest.raises(InputError, match=rf"study\.json: {message}"):
        study.load(file)
    with pytest.raises(InputError, match="absent: not readable: No such file"):
        study.load(tmp_path / "absent")


@pytest.mark.parametrize(
    "correct, weight_bytes, goal, reached",
    [
        ((900, 894, 897), 500, Goal(0.3, 0.5), True),  # 0.3 points in the mean, half the bytes
        ((900, 894, 896), 500, Goal(0.3, 0.5), False),
        ((900, 894, 897), 501, Goal(0.3, 0.5), False),
        ((900,), 1000, Goal(0, 1), True),
        ((899,), 1000, Goal(0, 1), False),
        ((899,), 1000, None, None),
    ],
)
def test_a_goal_is_met_by_the_mean_of_the_seeds_and_by_the_bytes(
    correct, weight_bytes, goal, reached
):
    row = _row(correct, 1000, weight_bytes, goal)
    model = dataclasses.replace(_model(row), int8_weight_bytes=1000)
    assert model.reached(row) is reached


def test_a_row_sums_its_disagreements_and_takes_its_largest_bytes():
    row = Row("q", "s", "QAT", "c", (Seed(1, 1, 9, 30, 2), Seed(2, 1, 9, 40), Seed(3, 1, 9, 20, 1)))
    assert (row.disagreeing, row.weight_bytes) == (3, 40)
    assert Row("q", "s", "PTQ", "c", (Seed(1, 1, 9, 30),)).disagreeing is None


def test_the_page_is_the_same_for_the_same_study(page):
    assert study_page.render(sample.study()) == page


def test_the_page_needs_no_script_and_no_other_file(page):
    parsed = Page(page)

    assert not {"script", "link", "iframe", "object", "img"} & set(parsed.tags)
    for tag, name, value in parsed.attributes:
        assert not name.startswith("on"), name
        if name in ("href", "src", "xlink:href"):
            assert value.startswith("#"), (tag, name, value)
    assert "@import" not in page and not re.search(r"url\((?!#)", page)
    assert not re.search(r"\d{4}-\d\d-\d\dT", page), "a date"


def test_every_id_is_unique_and_every_reference_has_its_id(page):
    parsed = Page(page)
    ids = [value for _, name, value in parsed.attributes if name == "id"]
    used = {value[1:] for _, name, value in parsed.attributes if name in ("href", "xlink:href")}
    used |= set(re.findall(r"url\(#([^)]+)\)", page))
    used |= {value for _, name, value in parsed.attributes if name == "aria-labelledby"}

    assert used <= set(ids)
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)


def test_every_command_stands_on_the_page(page):
    whole = sample.study()
    text = " ".join(Page(page).text.split())
    commands = [whole.command, *(row.command for row in whole.models[0].rows)]
    commands += [whole.models[0].reference_command, whole.models[0].search.command]
    assert all(" ".join(command.split()) in text for command in commands)


def test_tables_have_captions_and_plots_have_names(page):
    parsed = Page(page)
    names = [
        value for tag, name, value in parsed.attributes if (tag, name) == ("svg", "aria-label")
    ]

    assert parsed.tags.count("table") == parsed.tags.count("caption") == 4
    assert parsed.tags.count("figure") == parsed.tags.count("svg") == len(names) == 5
    assert "digits, 4-bit: signal to quantization noise of each layer" in names
    assert ("html", "lang", "en") in parsed.attributes


def test_the_numbers_of_the_page_are_those_of_the_study(page):
    text = " ".join(Page(page).text.split())

    assert "4 of 8 goals reached; 8 recipes, 22 models measured." in text
    ternary = "7 digits: ternary ternary/channel/mse incremental 87.72 87.57 to 87.87 −2.81 9,204 B"
    assert f"{ternary} 27.1 % 7,780,000 ✗ missed 2 lost, 30 %" in text
    assert "digits: ternary 2 593 of 676 87.72 85.0 to 90.0 9,196 B 0" in text
    assert "digits conv 2 CONV_2D uniform4/channel/mse uniform4 3,000 1,560" in text


def test_colours_come_from_the_page_so_that_it_reads_in_light_and_dark(page):
    assert "prefers-color-scheme: dark" in page
    svg = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    fixed = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
    assert not fixed, fixed
    assert "var(--series-1)" in svg and "currentColor" in svg


def test_what_comes_from_outside_is_escaped():
    text = study_page.render(sample.study(NASTY, layers=2))
    parsed = Page(text)

    assert "script" not in parsed.tags
    assert "b" not in parsed.tags
    assert NASTY in parsed.text
    assert f"{NASTY} conv 1" in parsed.text


def test_a_study_without_extras_has_no_empty_headings():
    bare = Study("command", (_model(_row()),), {})
    parsed = Page(study_page.render(bare))

    assert parsed.tags.count("svg") == 1
    assert parsed.tags.count("h3") == 2
    assert "no goals set; 1 recipes, 1 models measured." in parsed.text
    assert "instructions" not in parsed.text


def test_without_matplotlib_the_cure_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ToolError, match=r"matplotlib: .*pip install 'edgeasr\[train\]'"):
        study_page.render(sample.study())
