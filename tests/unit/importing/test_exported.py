"""Nothing of a `.pt2` but its program and plain numbers reaches PyTorch. None of this needs it."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from edgeasr.errors import InputError
from edgeasr.importing import exported

LEAF = {"type": None, "context": None, "children_spec": []}


class Bomb:
    """Unpickled, it would run a program."""

    def __reduce__(self):
        return print, ("unpickled!",)


def spec(*children):
    return {"type": "builtins.tuple", "context": "null", "children_spec": list(children)}


def tensor(name):
    return {"arg": {"as_tensor": {"name": name}}, "kind": 1, "name": name}


def program(target="torch.ops.aten.linear.default"):
    """Return the JSON of a dense layer, as PyTorch 2.13 writes it."""
    size = [{"as_int": 1}, {"as_int": 6}]
    called = spec(spec(LEAF), {"type": "builtins.dict", "context": "[]", "children_spec": []})
    signature = {"in_spec": json.dumps([1, called]), "out_spec": json.dumps([1, LEAF])}
    node = {
        "target": target, "name": "linear", "inputs": [tensor("x"), tensor("p_w")],
        "outputs": [{"as_tensor": {"name": "linear"}}], "metadata": {"stack_trace": "/home/me"},
    }  # fmt: skip
    return {
        "graph_module": {
            "graph": {"nodes": [node], "tensor_values": {"x": {"sizes": size}}},
            "signature": {}, "metadata": {"a": "b"}, "treespec_namedtuple_fields": {"c": {}},
            "module_call_graph": [{"fqn": "", "signature": signature}, {"fqn": "a"}],
        },
        "range_constraints": {}, "guards_code": ["__import__('os')"], "verifiers": ["other"],
        "opset_version": {"aten": 10}, "schema_version": {"major": 8, "minor": 20},
    }  # fmt: skip


def weight(sizes=(3, 6), *, file="weight_0", pickled=False, dtype=7, offset=0):
    strides = [int(np.prod(sizes[n + 1 :])) for n in range(len(sizes))]
    meta = {
        "dtype": dtype, "sizes": [{"as_int": n} for n in sizes],
        "strides": [{"as_int": n} for n in strides], "storage_offset": {"as_int": offset},
    }  # fmt: skip
    return {"path_name": file, "is_param": True, "use_pickle": pickled, "tensor_meta": meta}


def archive(**changes):
    """Return the members of an archive, some replaced; None leaves one out."""
    members = {
        "models/model.json": json.dumps(program()),
        "data/weights/model_weights_config.json": json.dumps({"config": {"w": weight()}}),
        "data/weights/weight_0": np.ones(18, np.float32).tobytes(),
        "data/constants/model_constants_config.json": json.dumps({"config": {}}),
        "data/sample_inputs/model.pt": pickle.dumps(Bomb()),
        "data/aotinductor/model/code.so": b"\x7fELF",
        "byteorder": b"little",
    }
    return {name: content for name, content in {**members, **changes}.items() if content}


def write(folder, members):
    file = folder / "net.pt2"
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            made.writestr(f"net/{name}", content)
    return file


def refused(tmp_path, members, message):
    file = members if hasattr(members, "exists") else write(tmp_path, members)
    with pytest.raises(InputError, match=message) as caught:
        exported.sanitize(file, tmp_path / "clean.pt2")
    assert "net.pt2" in str(caught.value)
    assert not (tmp_path / "clean.pt2").exists()


def test_only_program_and_numbers_are_copied(tmp_path):
    exported.sanitize(write(tmp_path, archive()), tmp_path / "clean.pt2")
    with zipfile.ZipFile(tmp_path / "clean.pt2") as made:
        found = {e.filename.removeprefix("model/"): made.read(e) for e in made.infolist()}
    assert set(found) == {
        "archive_format", "archive_version", "byteorder", ".data/version", "models/model.json",
        "data/weights/model_weights_config.json", "data/weights/weight_0",
        "data/constants/model_constants_config.json", "data/sample_inputs/model.pt",
    }  # fmt: skip
    assert found["data/sample_inputs/model.pt"] == b""
    kept = json.loads(found["models/model.json"])
    assert kept["guards_code"] == [] and kept["verifiers"] == ["TRAINING"]
    assert kept["graph_module"]["graph"]["nodes"][0]["metadata"] == {}
    assert len(kept["graph_module"]["module_call_graph"]) == 1
    assert kept["graph_module"]["treespec_namedtuple_fields"] == {}


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.from_file.default", "torch.load", "_operator.attrgetter", "math.inf",
        "torch.ops.mylib.run.default", "#mine:run", "torch.ops.aten.relu.default.__class__",
        "torch.ops.aten.relu.__init__", "torch.hub.load",
    ],
)  # fmt: skip
def test_operations_that_are_not_known_are_refused(tmp_path, target):
    text = json.dumps(program(target))
    refused(tmp_path, archive(**{"models/model.json": text}), "cannot be imported; convolutions")


def test_a_graph_in_a_graph_is_refused(tmp_path):
    """Its operations would be read as any other's, and so are checked, wherever they stand."""
    given = program()
    node = given["graph_module"]["graph"]["nodes"][0]
    inner = {"name": "body", "graph": {"nodes": [{"target": "torch.hub.load", "inputs": []}]}}
    node["inputs"].append({"name": "body", "arg": {"as_graph": inner}, "kind": 1})
    members = archive(**{"models/model.json": json.dumps(given)})
    refused(tmp_path, members, "holds graph, not only tensors|torch.hub.load")
    node["inputs"][-1] = {"name": "o", "arg": {"as_custom_obj": {"name": "o"}}, "kind": 1}
    members = archive(**{"models/model.json": json.dumps(given)})
    refused(tmp_path, members, "holds custom_obj, not only tensors")


@pytest.mark.parametrize(
    "config",
    [
        {"w": weight(pickled=True)},
        {"w": weight(file="custom_obj_0")},
        {"w": weight(file="../../etc/passwd")},
        {"w": weight(file="opaque_obj_0", pickled=True)},
    ],
)
def test_pickled_weights_are_not_unpickled(tmp_path, config, capsys):
    members = archive(**{
        "data/weights/model_weights_config.json": json.dumps({"config": config}),
        "data/weights/custom_obj_0": pickle.dumps(Bomb()),
    })  # fmt: skip
    refused(tmp_path, members, "is a pickled object .*; unpickling a file can run anything")
    assert "unpickled!" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "expression",
    ["__import__('os').system('true')", "Symbol('s0', positive=exit())", "s0 + 1", "2*s0", 7],
)
def test_sizes_are_not_evaluated(tmp_path, expression):
    given = program()
    sizes = given["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
    sizes[0] = {"as_expr": {"expr_str": expression, "hint": {"as_int": 2}}}
    refused(tmp_path, archive(**{"models/model.json": json.dumps(given)}), "is not evaluated; only")


def test_a_symbol_for_the_batch_is_taken(tmp_path):
    given = program()
    sizes = given["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
    text = "Symbol('s77', positive=True, integer=True)"
    sizes[0] = {"as_expr": {"expr_str": text, "hint": {"as_int": 2}}}
    given["range_constraints"] = {"s77": {"min_val": 0, "max_val": None}}
    members = archive(**{"models/model.json": json.dumps(given)})
    exported.sanitize(write(tmp_path, members), tmp_path / "clean.pt2")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"models/model.json": None}, "has no models/model.json; it is no archive of torch.export"),
        ({"models/model.json": "{"}, "models/model.json is not JSON"),
        ({"models/model.json": "[" * 100_000}, "models/model.json is not JSON"),
        ({"models/model.json": "[]"}, "models/model.json is no table"),
        ({"models/model.json": "{}"}, "models/model.json is damaged"),
        ({"data/weights/weight_0": b"1234"}, r'"w" of shape \[3, 6\] is not held by its 4 B'),
        ({"byteorder": b"big"}, "not little-endian"),
        ({"data/constants/model_constants_config.json": None}, "has no data/constants"),
        (
            {"data/weights/model_weights_config.json": json.dumps({"config": {"w": {}}})},
            "model_weights_config.json is damaged",
        ),
    ],
)  # fmt: skip
def test_damaged_archives(tmp_path, change, message):
    refused(tmp_path, archive(**change), message)


@pytest.mark.parametrize("facts", [{"dtype": 99}, {"offset": -1}, {"sizes": (1 << 40, 1 << 40)}])
def test_weights_that_no_file_holds(tmp_path, facts):
    config = {"config": {"w": weight(**facts)}}
    members = archive(**{"data/weights/model_weights_config.json": json.dumps(config)})
    refused(tmp_path, members, "no type and shape that can be read|is not held by its")


def test_two_tensors_are_refused(tmp_path):
    given = program()
    signature = given["graph_module"]["module_call_graph"][0]["signature"]
    signature["out_spec"] = json.dumps([1, spec(LEAF, LEAF)])
    members = archive(**{"models/model.json": json.dumps(given)})
    refused(tmp_path, members, "more than one tensor; a recogniser takes one window")


def test_a_checkpoint_is_told_from_a_program(tmp_path):
    made = tmp_path / "net.pt2"
    made.write_bytes(pickle.dumps({"weights": 1}))
    refused(tmp_path, made, "a checkpoint or state_dict of torch.save holds no program")


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    made = tmp_path / "net.pt2"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        for n in range(3):
            bomb.writestr(f"net/data/weights/weight_{n}", bytes(100 << 20))
    assert made.stat().st_size < 1 << 20
    refused(tmp_path, made, "3 members of 314,572,800 B unpacked; at most")


def test_a_member_larger_than_it_states_is_refused(tmp_path):
    """The central directory says 18 floats, the data are a megabyte of zeros."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("net/models/model.json", bytes(1 << 20))
    content = bytearray(stream.getvalue())
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (72).to_bytes(4, "little")
    made = tmp_path / "net.pt2"
    made.write_bytes(bytes(content))
    refused(tmp_path, made, "not of the size that it states|not an archive|not JSON")
