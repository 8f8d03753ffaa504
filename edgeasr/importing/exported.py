"""A `.pt2` of torch.export, made by anybody, becomes a clean copy that PyTorch may load.

`torch.export.load` unpickles parts of an archive, evaluates its symbolic sizes as expressions of
Python, and loads compiled code. None of that reaches it from here: members are taken by name and
size, weights as raw numbers only, the program as JSON of known operations, all else is left out.
Refused: pickled weights, sizes that are no plain symbol, and operations outside ATEN.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgeasr.errors import InputError
from edgeasr.importing.aten import ATEN

MAX_BYTES = 256 << 20
_MAX_MEMBERS = 20_000
# Format of PyTorch 2.9 and later: pytorch/torch/export/pt2_archive/constants.py.
_PROGRAM = "models/model.json"
_WEIGHTS = "data/weights/model_weights_config.json"
_CONSTANTS = "data/constants/model_constants_config.json"
_PAYLOAD = {_WEIGHTS: re.compile(r"weight_\d+"), _CONSTANTS: re.compile(r"tensor_\d+")}
# Numbers of torch's scalar types in the file, and bytes of an element.
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 12: 1, 13: 2}
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, (positive|integer|nonnegative)=True)*\)|[a-z]+\d+|\d+")
_TARGET = re.compile(r"_operator\.getitem|torch\.ops\.aten\.([a-z]\w*|_[a-z]\w*)(\.[A-Za-z]\w*)?")
# What a program may hold beside tensors and numbers; none of it is taken.
_OBJECTS = ("as_graph", "as_custom_obj", "as_operator", "as_opaque", "custom_obj", "token")
_HOW = "make it anew with torch.export.save(torch.export.export(model.eval(), (example,)), file)"


def sanitize(source: Path, copy: Path) -> None:
    """Write the archive's program and numbers, and nothing else of it, to `copy`.

    Raises InputError for what is no such archive, is too large, or holds what only unpickling,
    evaluating or loading of code could read.
    """
    members = _members(source)
    program = _program(_json(members, _PROGRAM, source), source)
    clean = {
        "archive_format": b"pt2",
        "archive_version": b"0",
        "byteorder": b"little",
        ".data/version": b"3\n",
        "data/sample_inputs/model.pt": b"",
        _PROGRAM: json.dumps(program).encode(),
    }
    if members.get("byteorder", b"little") != b"little":
        raise InputError(f"{source}: numbers are not little-endian; {_HOW}")
    for name in (_WEIGHTS, _CONSTANTS):
        config = _json(members, name, source)
        clean[name] = json.dumps(config).encode()
        for member in _payload(config, name, members, source):
            clean[member] = members[member]
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as archive:
        for name, content in clean.items():
            archive.writestr(f"model/{name}", content)


def _members(source: Path) -> dict[str, bytes]:
    """Return member -> content, without the archive's own folder."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            whole = sum(entry.file_size for entry in entries)
            if len(entries) > _MAX_MEMBERS or whole > MAX_BYTES:
                raise InputError(
                    f"{source}: {len(entries)} members of {whole:,} B unpacked; at most "
                    f"{_MAX_MEMBERS} of {MAX_BYTES:,} B are read"
                )
            found = {e.filename.partition("/")[2]: _read(archive, e, source) for e in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{source}: not an archive of torch.export ({error}); a checkpoint or state_dict of "
            f"torch.save holds no program; {_HOW}"
        ) from None
    if _PROGRAM not in found:
        raise InputError(
            f"{source}: has no {_PROGRAM}; it is no archive of torch.export of PyTorch 2.9 or "
            f"later (one of torch.save or torch.jit cannot be read without unpickling); {_HOW}"
        )
    return found


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: Path) -> bytes:
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise InputError(f"{source}: member {entry.filename} is not of the size that it states")
    return content


def _json(members: Mapping[str, bytes], name: str, source: Path) -> dict:
    try:
        found = json.loads(members[name])
    except KeyError:
        raise InputError(f"{source}: has no {name}; {_HOW}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: {name} is not JSON ({error}); {_HOW}") from None
    if not isinstance(found, dict):
        raise InputError(f"{source}: {name} is no table; {_HOW}")
    return found


def _payload(
    config: Mapping, name: str, members: Mapping[str, bytes], source: Path
) -> Iterator[str]:
    """Give the members of raw numbers that a table of weights names; check that they suffice."""
    folder = name.rpartition("/")[0]
    try:
        for weight, facts in config["config"].items():
            file = facts["path_name"]
            if facts["use_pickle"] or not _PAYLOAD[name].fullmatch(file):
                raise InputError(
                    f'{source}: "{weight}" is a pickled object ({file}); unpickling a file can '
                    "run anything, so it is not done; give the model plain dense tensors"
                )
            _check_tensor(facts["tensor_meta"], len(members[f"{folder}/{file}"]), weight, source)
            yield f"{folder}/{file}"
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{source}: {name} is damaged ({error!r}); {_HOW}") from None


def _check_tensor(meta: Mapping, stored: int, weight: str, source: Path) -> None:
    sizes = [size["as_int"] for size in meta["sizes"]]
    strides = [stride["as_int"] for stride in meta["strides"]]
    offset, item = meta["storage_offset"]["as_int"], _ITEM_BYTES.get(meta["dtype"])
    numbers = [*sizes, *strides, offset]
    if item is None or any(not isinstance(n, int) or n < 0 for n in numbers):
        raise InputError(f'{source}: "{weight}" has no type and shape that can be read')
    reach = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True)) + 1
    if (math.prod(sizes) and reach * item > stored) or math.prod(sizes) * item > MAX_BYTES:
        raise InputError(
            f'{source}: "{weight}" of shape {sizes} is not held by its {stored:,} B; {_HOW}'
        )


def _program(program: dict, source: Path) -> dict:
    """Return the program with all left out that only describes it."""
    try:
        module = program["graph_module"]
        for node in module["graph"]["nodes"]:
            node["metadata"] = {}
        calls = module["module_call_graph"][:1]
        _check_call(calls, source)
        module |= {"module_call_graph": calls, "metadata": {}, "treespec_namedtuple_fields": {}}
        program |= {"guards_code": [], "verifiers": ["TRAINING"]}
        for symbol, limits in program["range_constraints"].items():
            if not _SYMBOL.fullmatch(symbol) or not all(
                limits[key] is None or type(limits[key]) is int for key in ("min_val", "max_val")
            ):
                raise InputError(f"{source}: the range of symbol {symbol!r} is not read; {_HOW}")
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{source}: {_PROGRAM} is damaged ({error!r}); {_HOW}") from None
    _check_tables(program, source)
    return program


def _check_tables(program: dict, source: Path) -> None:
    """Raise InputError for an operation, an expression or an object that is not known, wherever in
    the program it stands."""
    for table in _tables(program):
        if "target" in table:
            _check_operation(table, source)
        held = [key for key in _OBJECTS if table.get(key) is not None]
        if held:
            raise InputError(
                f"{source}: holds {held[0].removeprefix('as_')}, not only tensors and numbers; "
                f"control flow and objects cannot be imported; {_HOW}"
            )
        expression = table.get("expr_str", "0")
        if not isinstance(expression, str) or not _SYMBOL.fullmatch(expression):
            raise InputError(
                f"{source}: a size is the expression {str(expression)[:60]!r}, which is not "
                "evaluated; only the batch may be dynamic; export with fixed shapes"
            )


def _check_operation(node: Mapping, source: Path) -> None:
    target = str(node["target"])
    known = _TARGET.fullmatch(target)
    if not known or (known[1] and known[1] not in ATEN):
        raise InputError(
            f'{source}: operation "{target[:80]}" (node "{str(node.get("name"))[:40]}") '
            "cannot be imported; convolutions, pooling, dense layers, normalisation, "
            "activations and changes of shape of ATEN can"
        )


def _check_call(calls: list, source: Path) -> None:
    """Raise InputError unless the program is called with one tensor and returns one."""
    signature = calls[0]["signature"]
    leaf = {"type": None, "context": None, "children_spec": []}
    one = {"type": "builtins.tuple", "context": "null", "children_spec": [leaf]}
    named = {"type": "builtins.dict", "context": "[]", "children_spec": []}
    called = {"type": "builtins.tuple", "context": "null", "children_spec": [one, named]}
    for key, allowed in (("in_spec", [called]), ("out_spec", [leaf, one])):
        version, spec = json.loads(signature[key])
        if version != 1 or spec not in allowed:
            raise InputError(
                f"{source}: the model is called with or returns more than one tensor; a "
                "recogniser takes one window and returns one row of scores; wrap it so"
            )


def _tables(tree: object) -> Iterator[dict]:
    """Give every table of a tree of JSON, in the order of the file."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(reversed(found.values()))
        elif isinstance(found, list):
            waiting.extend(reversed(found))
