"""Small quantized graphs with layers of every kind that has weights, to be rewritten."""

import math

import numpy as np

from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests.vectors.kernels.tflite_builder import serialize

CONVOLUTION = {
    "padding": "SAME", "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1,
    "dilation_h_factor": 1, "fused_activation_function": "NONE",
}  # fmt: skip
DENSE = {"fused_activation_function": "NONE", "weights_format": "DEFAULT", "keep_num_dims": False}


def quantized(scales, zero_point=0, axis=0):
    scales = np.atleast_1d(np.float32(scales))
    return Quantization(scales, np.full(len(scales), zero_point, np.int32), axis)


def _out_size(size, taps, step, dilation, padding):
    reach = (taps - 1) * dilation + 1
    return -(-size // step) if padding == "SAME" else (size - reach) // step + 1


class Chain:
    """Layers one after the other under construction; real weights are Laplacian."""

    def __init__(self, seed, shape, dtype="int8"):
        self.random = np.random.default_rng(seed)
        self.dtype = dtype
        self.tensors = [Tensor(0, "in", shape, dtype, None, self._activation(0.02, -20))]
        self.ops = []

    def _activation(self, scale, zero_point):
        if self.dtype == "int16":
            return quantized(scale / 256)
        return quantized(scale, zero_point)

    def _hold(self, name, data, quantization):
        self.tensors.append(
            Tensor(len(self.tensors), name, data.shape, str(data.dtype), data, quantization)
        )
        return len(self.tensors) - 1

    def layer(self, kind, shape, bias=True, per_channel=True, relu=False, zero_point=-3, **options):
        """Append a layer with weights of a shape; options are those of TFLite."""
        entry, source = self.tensors[-1], len(self.tensors) - 1
        axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
        channels, taps = shape[axis], math.prod(shape) // shape[axis]
        values = np.clip(np.rint(self.random.laplace(size=shape) * 25), -127, 127).astype(np.int8)
        scales = self.random.uniform(0.3, 1, channels if per_channel else 1) / 40 / math.sqrt(taps)
        weights = self._hold("weights", values, quantized(scales, 0, axis))
        given = -1
        if bias:
            steps = np.float32(scales) * entry.quantization.scales[0]
            counts = np.rint(self.random.normal(0, 0.3, channels) / steps)
            data = counts.astype("int32" if self.dtype == "int8" else "int64")
            given = self._hold("bias", data, quantized(steps))
        fields = {**(DENSE if kind == "FULLY_CONNECTED" else CONVOLUTION), **options}
        if kind == "DEPTHWISE_CONV_2D":
            fields["depth_multiplier"] = channels // entry.shape[3]
        if relu:
            fields["fused_activation_function"] = "RELU"
        shape = self._out_shape(kind, entry.shape, shape, channels, fields)
        point = -128 if relu else zero_point
        output = self._activation(0.03, point)
        self.tensors.append(Tensor(len(self.tensors), "out", shape, self.dtype, None, output))
        inputs = (source, weights, given)
        self.ops.append(Op(len(self.ops), kind, inputs, (len(self.tensors) - 1,), fields))
        return self

    def _out_shape(self, kind, entry, shape, channels, fields):
        if kind == "FULLY_CONNECTED":
            return (math.prod(entry) // shape[1], channels)
        sizes = [
            _out_size(
                entry[1 + axis], shape[1 + axis], fields[f"stride_{letter}"],
                fields[f"dilation_{letter}_factor"], fields["padding"],
            )
            for axis, letter in enumerate("hw")
        ]  # fmt: skip
        return (entry[0], *sizes, channels)

    def graph(self):
        return Graph("main", tuple(self.tensors), tuple(self.ops), (0,), (len(self.tensors) - 1,))

    def content(self):
        return serialize(self.graph())

    def inputs(self, count, seed=5):
        """Return inputs [count, ...] whose neighbours are alike, as features of speech are."""
        random = np.random.default_rng(seed)
        shape = (count, *self.tensors[0].shape)
        rough = random.normal(size=shape)
        smooth = rough + np.roll(rough, 1, axis=2) + np.roll(rough, 1, axis=-2)
        reach = 30 if self.dtype == "int8" else 7000
        info = np.iinfo(self.dtype)
        return np.clip(np.rint(smooth * reach), info.min, info.max).astype(self.dtype)


def recogniser(seed=1, dtype="int8"):
    """A small depthwise separable network with every kind of layer."""
    return (
        Chain(seed, (1, 10, 6, 1), dtype)
        .layer("CONV_2D", (12, 3, 3, 1), relu=True, stride_h=2)
        .layer("DEPTHWISE_CONV_2D", (1, 3, 3, 12), relu=True)
        .layer("CONV_2D", (16, 1, 1, 12), relu=True)
        .layer("DEPTHWISE_CONV_2D", (1, 5, 6, 16), relu=True, padding="VALID")
        .layer("FULLY_CONNECTED", (5, 16), per_channel=False)
    )
