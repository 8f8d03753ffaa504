"""The one Jinja environment: finished values go in, C and build files come out."""

import functools
from collections.abc import Mapping

import jinja2
from jinja2.ext import Extension

from edgeasr import paths
from edgeasr.codegen import cname


class _Assert(Extension):
    """`{% assert false, "why" %}`: closes an if-ladder that must not fall through."""

    tags = {"assert"}  # noqa: RUF012

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        condition = parser.parse_expression()
        parser.stream.expect("comma")
        reason = parser.parse_expression()
        call = self.call_method("_check", [condition, reason, jinja2.nodes.Const(line)])
        return jinja2.nodes.ExprStmt(call, lineno=line)

    def _check(self, condition: object, reason: str, line: int) -> str:
        if not condition:
            raise jinja2.TemplateAssertionError(f"template assertion: {reason}", line)
        return ""


@functools.cache
def environment() -> jinja2.Environment:
    """Return the environment over the firmware templates, with the filters of `cname`."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.firmware_templates()),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=[_Assert],
    )
    env.filters |= {
        "c_name": cname.identifier,
        "c_string": cname.string,
        "c_comment": cname.comment,
        "c_int": cname.integer,
        "c_float": cname.real,
        "c_array": cname.initializer,
    }
    return env


def render(template: str, context: Mapping[str, object]) -> str:
    """Render a template, named relative to the firmware templates' folder."""
    return environment().get_template(template).render(context)
