"""The picture of a memory plan: every buffer is there, to scale, and names are only text."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from edgeasr.plan import Buffer, Placed, Plan
from edgeasr.report import memory

_SVG = "{http://www.w3.org/2000/svg}"


def _plan(*placed: Placed) -> Plan:
    return Plan(
        arena_bytes=max(p.end for p in placed),
        lower_bound_bytes=96,
        placed=placed,
        tensors={},
        scratch={},
    )


@pytest.fixture
def drawn() -> ElementTree.Element:
    plan = _plan(
        Placed(Buffer("features", 64, -1, 0), 0),
        Placed(Buffer('a/<b>&"c"\x07', 32, 0, 2), 64),
        Placed(Buffer("scratch of #1 CONV_2D", 16, 1, 1, scratch=True), 0),
    )
    return ElementTree.fromstring(memory.render(plan, ["RESHAPE", "CONV_2D"], "<m>.tflite"))


def _boxes(drawn: ElementTree.Element) -> dict[str, dict[str, float]]:
    found = {}
    for rect in drawn.iter(f"{_SVG}rect"):
        hint = rect.find(f"{_SVG}title")
        if hint is not None:
            found[hint.text.partition(":")[0]] = {
                key: float(rect.get(key)) for key in ("x", "y", "width", "height")
            }
    return found


def test_each_buffer_has_a_box_to_scale(drawn: ElementTree.Element) -> None:
    boxes = _boxes(drawn)

    assert set(boxes) == {"features", 'a/<b>&"c"?', "scratch of #1 CONV_2D"}
    features, second = boxes["features"], boxes['a/<b>&"c"?']
    scratch = boxes["scratch of #1 CONV_2D"]
    assert features["height"] == pytest.approx(2 * second["height"], abs=0.3)
    assert second["y"] + second["height"] == pytest.approx(features["y"], abs=0.2)
    assert features["width"] == pytest.approx(2 * scratch["width"])
    assert scratch["x"] == pytest.approx(features["x"] + features["width"])


def test_names_are_text_and_no_markup(drawn: ElementTree.Element) -> None:
    assert drawn.find(f"{_SVG}title").text == "Memory plan of <m>.tflite"
    assert all(element.tag.startswith(_SVG) for element in drawn.iter())


def test_steps_are_named_in_order(drawn: ElementTree.Element) -> None:
    texts = [text.text for text in drawn.iter(f"{_SVG}text")]

    places = [texts.index(name) for name in ("input", "0 RESHAPE", "1 CONV_2D", "output")]
    assert places == sorted(places)


def test_the_arena_is_a_tick(drawn: ElementTree.Element) -> None:
    assert "96" in [text.text for text in drawn.iter(f"{_SVG}text")]
    assert "arena 96 B" in drawn.find(f"{_SVG}desc").text


def test_state_lies_above_the_arena_at_every_step() -> None:
    tensor = Placed(Buffer("x", 96, 0, 0), 0)
    kept = Placed(Buffer("stream/states", 48, -1, 1), 96)
    plan = replace(_plan(tensor), state=(kept,))

    drawn = ElementTree.fromstring(memory.render(plan, ["CONV_2D"], "m"))

    boxes = _boxes(drawn)
    state, box = boxes["stream/states"], boxes["x"]
    assert state["y"] + state["height"] == pytest.approx(box["y"], abs=0.2)
    assert state["width"] == pytest.approx(3 * box["width"])
    assert drawn.find(f"{_SVG}desc").text.endswith("; state 48 B")
