"""Options of custom operators: a FlexBuffer that holds one map of scalars, to a dict.

Damage and whatever is not a flat map is a ValueError that says what is wrong. Nothing is followed
deeper than one vector of scalars, so that no buffer can make the reading long.
Source of the format: "FlexBuffers" in the documentation of FlatBuffers, `flexbuffers.h`.
"""

import struct

_MAX_BYTES = 4096
_MAX_ENTRIES = 64
# Whatever the library raises when an offset leads nowhere.
_DAMAGE = (struct.error, IndexError, KeyError, TypeError, OverflowError, AttributeError,
           AssertionError, ValueError)  # fmt: skip

Option = bool | int | float | str | tuple[bool | int | float | str, ...]


def parse(content: bytes) -> dict[str, Option]:
    """Return the map in `content`: booleans, integers, floats, strings, and tuples of them."""
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{len(content)} bytes; at most {_MAX_BYTES}")
    try:
        return _root(content)
    except _DAMAGE as error:
        raise ValueError(f"damaged ({type(error).__name__}: {error})") from None


def _root(content: bytes) -> dict[str, Option]:
    from flatbuffers import flexbuffers

    root = flexbuffers.GetRoot(content)
    if not root.IsMap:
        raise ValueError("no map at the root")
    entries = root.AsMap
    if len(entries) > _MAX_ENTRIES or len(entries.Keys) != len(entries):
        raise ValueError(f"{len(entries)} entries; at most {_MAX_ENTRIES}, one key for each")
    names = [key.AsKey for key in entries.Keys]
    if sorted(set(names)) != names:
        raise ValueError(f"keys {names}; they must be sorted and unique")
    return {name: _value(value) for name, value in zip(names, entries.Values, strict=True)}


def _value(value: object) -> Option:
    if value.IsTypedVector or value.IsFixedTypedVector or (value.IsVector and not value.IsMap):
        vector = next(
            getattr(value, f"As{kind}")
            for kind in ("TypedVector", "FixedTypedVector", "Vector")
            if getattr(value, f"Is{kind}")
        )
        if len(vector) > _MAX_BYTES:
            raise ValueError(f"a vector of {len(vector)}; at most {_MAX_BYTES}")
        return tuple(_scalar(element) for element in vector)
    return _scalar(value)


def _scalar(value: object) -> bool | int | float | str:
    if value.IsBool:
        return value.AsBool
    if value.IsInt:
        return value.AsInt
    if value.IsFloat:
        return value.AsFloat
    if value.IsString:
        return value.AsString
    raise ValueError(f"a value of type {value._type!r}; scalars and their vectors are allowed")
