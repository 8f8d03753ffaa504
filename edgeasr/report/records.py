"""Plain values, as JSON has them, become frozen dataclasses; what does not fit is named by place.

Fields may be text, whole numbers, numbers, truth values, dataclasses, tuples of one kind, mappings
from text to text, and any of these or None.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from edgeasr.errors import InputError, alternatives

T = TypeVar("T")

_WORDS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}


def read(kind: type[T], value: object, where: str) -> T:
    """Return `value` as dataclass `kind`; `where` names it in errors. Raises InputError."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: {_shown(value)} is not an object")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise InputError(f'{where}: "{key}" is not known; {alternatives(str(key), fields)}')
    hints = typing.get_type_hints(kind)
    given = {}
    for name, field in fields.items():
        if name in value:
            given[name] = _convert(hints[name], value[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING:
            raise InputError(f'{where}: "{name}" is missing')
    try:
        return kind(**given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _convert(hint: Any, value: object, where: str) -> Any:
    if isinstance(hint, types.UnionType):
        return None if value is None else _convert(typing.get_args(hint)[0], value, where)
    if dataclasses.is_dataclass(hint):
        return read(hint, value, where)
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where}: {_shown(value)} is not a list")
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, part, f"{where}[{i}]") for i, part in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise InputError(f"{where}: {_shown(value)} is not an object")
        return {str(k): _convert(str, part, f"{where}.{k}") for k, part in value.items()}
    return _scalar(hint, value, where)


def _scalar(kind: type, value: object, where: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number and math.isfinite(value):
        return float(value)
    if kind is not float and type(value) is kind:
        return value
    raise InputError(f"{where}: {_shown(value)} is not {_WORDS[kind]}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
