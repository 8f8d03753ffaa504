"""Damaged and hostile ONNX files end in a sentence that names file and place."""

import random

import numpy as np
import pytest

from edgeasr import importing
from edgeasr.errors import EdgeasrError, InputError
from tests.conftest import need_package
from tests.unit.importing.nets import WINDOW, Net, tutorial

need_package("keras")
need_package("onnx")


@pytest.fixture(scope="module")
def content():
    return tutorial().model().SerializeToString()


def refused(tmp_path, model, message):
    file = tmp_path / "net.onnx"
    file.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(InputError, match=message) as caught:
        importing.load(file, WINDOW)
    assert "net.onnx" in str(caught.value)


@pytest.mark.parametrize(
    "name, message",
    [
        ("net.pt", "a .pt file is a pickle, which runs code of its own when it is read"),
        ("net.pth", "torch.export.save"),
        ("net.tflite", "needs no import; 'edgeasr quantize' takes a .keras file"),
        ("net.h5", r'"\.h5" is not known; \.pt2 and \.onnx can be imported'),
        ("none.onnx", "none.onnx: no such file"),
    ],
)
def test_other_files_are_refused_by_name(name, message, tmp_path):
    file = tmp_path / name
    if name != "none.onnx":
        file.write_bytes(b"\x80\x04cposix\nsystem\n.")
    with pytest.raises(InputError, match=message):
        importing.load(file)


def test_no_model_at_all(tmp_path):
    refused(tmp_path, b"\xff" * 400, "not an ONNX model")
    refused(tmp_path, b"", "not a valid ONNX model")


def test_a_truncated_file(tmp_path, content):
    for length in range(50, len(content), 997):
        refused(tmp_path, content[:length], "not a")


def test_weights_in_other_files_are_not_read(tmp_path):
    model = tutorial().model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="../../secret")
    refused(tmp_path, model, "are in another file; save the model as one")


def test_weights_that_are_not_numbers(tmp_path):
    model = tutorial().model()
    tensor = model.graph.initializer[0]
    tensor.raw_data = np.full(36, np.nan, np.float32).tobytes()
    refused(tmp_path, model, "hold a value that is not finite")


def test_weights_of_another_size_than_they_state(tmp_path):
    model = tutorial().model()
    model.graph.initializer[0].dims[0] = 5
    refused(tmp_path, model, "not a valid ONNX model|damaged")


def test_weights_larger_than_memory(tmp_path):
    model = tutorial().model()
    model.graph.initializer[0].dims[0] = 1 << 40
    refused(tmp_path, model, "not a valid ONNX model|have shape")


def test_operations_of_other_domains(tmp_path):
    model = tutorial().model()
    model.graph.node[1].domain = "com.example"
    model.opset_import.add(domain="com.example", version=1)
    refused(tmp_path, model, 'Relu "tensor1" is of domain com.example')


def test_control_flow(tmp_path):
    from onnx import TensorProto, helper

    net = Net().add("Relu")
    body = helper.make_graph(
        [helper.make_node("Identity", ["tensor0"], ["b"])], "body", [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, (1, 1, *WINDOW))],
    )  # fmt: skip
    net.last = "condition"
    net.constants.append(helper.make_tensor("condition", TensorProto.BOOL, (), [True]))
    net.add("If", then_branch=body, else_branch=body)
    refused(tmp_path, net.model(), "holds a graph of its own; control flow")


def test_a_cycle(tmp_path):
    model = tutorial().model()
    model.graph.node[0].input[0] = model.graph.node[1].output[0]
    refused(tmp_path, model, "not a valid ONNX model")


def test_a_batch_that_is_not_one(tmp_path):
    net = tutorial()
    net.shape = (32, 1, *WINDOW)
    refused(tmp_path, net.model(), r"has shape \[32, 1, 24, 16\]; a batch of 1 \(or dynamic\)")


def test_a_dynamic_window(tmp_path):
    net = Net((1, 1, "frames", WINDOW[1])).conv(2, 1, 3, 3)
    refused(tmp_path, net.model(), r"'frames', 16\]; a batch of 1 \(or dynamic\) and then fixed")


def test_integers_as_input(tmp_path):
    from onnx import TensorProto

    model = Net((1, 4)).add("Identity").model()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT8
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT8
    refused(tmp_path, model, 'input "window" is not of float32')


def test_constants_that_grow_without_end(tmp_path):
    """Two rows of 20,000 make 400 million: no constant is made larger than what is read."""
    net = Net()
    window = net.last
    net.add("Identity", np.ones((20_000, 1), np.float32), last=False)
    net.add("Add", np.ones((1, 20_000), np.float32), name="large")
    net.last = window
    net.add("Add", "large")
    model = net.model()
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.shape.dim.add(dim_param="n")
    refused(tmp_path, model, "of constants has 400,000,000 elements|not a valid ONNX model")


def test_two_inputs(tmp_path):
    model = tutorial().model()
    model.graph.input.append(model.graph.input[0])
    model.graph.input[1].name = "other"
    refused(tmp_path, model, "2 inputs and 1 outputs; a recogniser has one of each")


@pytest.mark.slow
def test_damaged_bytes_end_in_a_sentence_or_a_model(tmp_path, content):
    """The file may come out whole, or another one; nothing else than our errors is raised."""
    dice = random.Random(5)
    file = tmp_path / "net.onnx"
    sentences = 0
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(dice.choice([1, 2, 8])):
            broken[dice.randrange(min(len(broken), 2000))] = dice.choice([0, 1, 0x7F, 0xFF])
        file.write_bytes(bytes(broken))
        try:
            importing.load(file, WINDOW, inputs=1)
        except EdgeasrError:
            sentences += 1
    assert sentences > 50
