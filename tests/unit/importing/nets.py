"""Small ONNX models, made by hand: operations with weights of a fixed seed."""

from __future__ import annotations

import numpy as np

WINDOW = (24, 16)


class Net:
    """Collects operations one after another: each reads what the last one made."""

    def __init__(self, shape=(1, 1, *WINDOW), opset: int = 18, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.shape, self.opset = shape, opset
        self.nodes, self.constants, self.last = [], [], "window"

    def add(self, kind: str, *others, last: bool = True, name: str = "", **attributes) -> Net:
        """Add an operation; others: arrays that become constants, or names of tensors."""
        from onnx import helper, numpy_helper

        inputs = [self.last] if last else []
        for other in others:
            if isinstance(other, str):
                inputs.append(other)
                continue
            inputs.append(f"constant{len(self.constants)}")
            self.constants.append(numpy_helper.from_array(np.asarray(other), inputs[-1]))
        self.last = name or f"tensor{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [self.last], self.last, **attributes))
        return self

    def weights(self, *shape: int, spread: float = 0.3) -> np.ndarray:
        return self.rng.normal(0, spread, shape).astype(np.float32)

    def conv(self, filters: int, channels: int, *size: int, **attributes) -> Net:
        kernel = self.weights(filters, channels // attributes.get("group", 1), *size)
        return self.add("Conv", kernel, self.weights(filters), **attributes)

    def norm(self, channels: int) -> Net:
        variance = self.rng.uniform(0.5, 2, channels).astype(np.float32)
        return self.add("BatchNormalization", *(self.weights(channels) for _ in "gbm"), variance)

    def dense(self, inputs: int, units: int) -> Net:
        weights, bias = self.weights(units, inputs, spread=inputs**-0.5), self.weights(units)
        return self.add("Gemm", weights, bias, transB=1)

    def model(self):
        """Return the model's protobuf, the shape of its output inferred."""
        from onnx import TensorProto, helper, shape_inference

        made = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)
        given = helper.make_tensor_value_info("window", TensorProto.FLOAT, self.shape)
        graph = helper.make_graph(self.nodes, "net", [given], [made], self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        return shape_inference.infer_shapes(
            helper.make_model(graph, opset_imports=opsets, ir_version=9)
        )

    def write(self, file):
        file.write_bytes(self.model().SerializeToString())
        return file


def tutorial(labels: int = 5) -> Net:
    """The small convolutional net of the tutorials, its pictures flattened in ONNX's order."""
    frames, features = WINDOW
    net = Net().conv(4, 1, 3, 3, pads=[1, 1, 1, 1]).add("Relu")
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.conv(8, 4, 3, 3, pads=[1, 1, 1, 1]).norm(8).add("Relu")
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2]).add("Flatten")
    return net.dense(8 * (frames // 4) * (features // 4), labels)
