"""The one Jinja environment refuses what templates must not do silently."""

import jinja2
import pytest

from edgeasr.codegen.environment import environment


def test_an_undefined_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        environment().from_string("{{ missing }}").render()


def test_assert_tag_closes_a_ladder() -> None:
    template = environment().from_string(
        "{% if kind == 'a' %}A{% else %}{% assert false, 'kind ' ~ kind %}{% endif %}"
    )

    assert template.render(kind="a") == "A"
    with pytest.raises(jinja2.TemplateAssertionError, match="kind b"):
        template.render(kind="b")
