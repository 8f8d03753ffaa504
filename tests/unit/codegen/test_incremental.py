"""Incremental inference: the streaming form of a window model gives the window's scores."""

import numpy as np
import pytest

from edgeasr.codegen import incremental
from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor

_FRAMES = 31
_FEATURES = 10


def _scale(value: float, point: int = 0) -> Quantization:
    return Quantization(np.array([value], np.float32), np.array([point], np.int32))


class _Network:
    """Builds a random int8 network layer by layer; `last` is the newest tensor."""

    def __init__(self, seed: int, shape: tuple[int, ...]):
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.last = self.add(shape)

    def add(self, shape: tuple[int, ...], dtype: str = "int8", data=None, quantization=None) -> int:
        index = len(self.tensors)
        if quantization is None and dtype == "int8":
            quantization = _scale(0.1, int(self.rng.integers(-20, 20)))
        self.tensors.append(Tensor(index, f"t{index}", shape, dtype, data, quantization))
        return index

    def op(self, kind: str, inputs: tuple[int, ...], shape: tuple[int, ...], **options) -> int:
        made = self.add(shape, quantization=options.pop("quantization", None))
        self.ops.append(Op(len(self.ops), kind, inputs, (made,), options))
        self.last = made
        return made

    def convolve(
        self, channels: int, size: tuple[int, int], stride: int = 1, padding: str = "VALID"
    ) -> None:
        """A convolution; channels 0 for a depthwise one."""
        _, height, width, depth = self.tensors[self.last].shape
        depthwise = not channels
        filter_shape = (1, *size, depth) if depthwise else (channels, *size, depth)
        values = self.rng.integers(-127, 128, filter_shape).astype(np.int8)
        weights = self.add(filter_shape, data=values, quantization=_scale(0.004))
        bias = self.add(
            (channels or depth,), "int32",
            self.rng.integers(-99, 99, channels or depth).astype(np.int32),
        )  # fmt: skip
        if padding == "VALID":
            made = [(n - k) // stride + 1 for n, k in zip((height, width), size, strict=True)]
        else:
            made = [-(-n // stride) for n in (height, width)]
        options = {"depth_multiplier": 1} if depthwise else {}
        self.op(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", (self.last, weights, bias),
            (1, *made, channels or depth), padding=padding, stride_h=stride, stride_w=stride,
            dilation_h_factor=1, dilation_w_factor=1, fused_activation_function="RELU", **options,
        )  # fmt: skip

    def pool(self, kind: str, height: int) -> None:
        _, rows, width, depth = self.tensors[self.last].shape
        self.op(
            kind, (self.last,), (1, rows - height + 1, width, depth), padding="VALID",
            filter_height=height, filter_width=1, stride_h=1, stride_w=1,
            fused_activation_function="NONE",
            quantization=self.tensors[self.last].quantization,
        )  # fmt: skip

    def flatten(self) -> None:
        self.op(
            "RESHAPE", (self.last,), (1, self.tensors[self.last].elements),
            quantization=self.tensors[self.last].quantization,
        )  # fmt: skip

    def dense(self, outputs: int) -> None:
        count = self.tensors[self.last].elements
        values = self.rng.integers(-127, 128, (outputs, count)).astype(np.int8)
        weights = self.add((outputs, count), data=values, quantization=_scale(0.002))
        self.op(
            "FULLY_CONNECTED", (self.last, weights, -1), (1, outputs),
            fused_activation_function="NONE", keep_num_dims=False, weights_format="DEFAULT",
        )  # fmt: skip

    def mean(self) -> None:
        axes = self.add((2,), "int32", np.array([1, 2], np.int32))
        shape = self.tensors[self.last].shape
        self.op("MEAN", (self.last, axes), (1, shape[3]), keep_dims=False)

    def graph(self) -> Graph:
        return Graph("net", tuple(self.tensors), tuple(self.ops), (0,), (self.last,))


def _random(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    if seed % 2:
        net = _Network(seed, (1, _FRAMES * _FEATURES))
        net.op(
            "RESHAPE", (net.last,), (1, _FRAMES, _FEATURES, 1),
            quantization=net.tensors[0].quantization,
        )  # fmt: skip
    else:
        net = _Network(seed, (1, _FRAMES, _FEATURES, 1))
    net.convolve(int(rng.integers(3, 9)), (int(rng.integers(1, 6)), 3), stride=2)
    net.convolve(0, (3, 1))
    net.convolve(int(rng.integers(3, 9)), (1, 1))
    if seed % 3 == 0:
        net.pool(("AVERAGE_POOL_2D", "MAX_POOL_2D")[seed % 2], 2)
    net.convolve(int(rng.integers(2, 6)), (3, 2), stride=1 + seed % 2)
    if seed % 4 < 2:
        net.mean()
    else:
        net.flatten()
    net.dense(5)
    return net.graph()


def _host(graph: Graph) -> HostModel:
    code = generate(graph, name="n", labels=("a",), content=b"", board="host", where="net")
    return HostModel(code, graph)


def _check(graph: Graph, hop: int) -> incremental.Incremental:
    """Let both forms hear one stream, and compare all scores from the first whole window on."""
    made = incremental.transform(graph, _FRAMES, hop)
    window, stream = _host(graph), _host(made.graph)
    rng = np.random.default_rng(hop)
    for _ in range(2):  # the second time from a reset, in the midst of what was heard
        rows = rng.integers(-128, 128, (_FRAMES + 9 * hop, _FEATURES)).astype(np.int8)
        stream.reset()
        lead = made.steps * hop - _FRAMES
        before = np.concatenate([np.zeros((lead, _FEATURES), np.int8), rows])
        for step in range(1, len(before) // hop + 1):
            scores = stream.invoke(before[(step - 1) * hop : step * hop])
            if step >= made.steps:
                end = step * hop - lead
                wanted = window.invoke(rows[end - _FRAMES : end])
                assert np.array_equal(scores.ravel(), wanted.ravel()), f"step {step}"
    return made


@pytest.mark.parametrize("hop", [4, 8])
@pytest.mark.parametrize("seed", range(8))
def test_scores_are_those_of_the_whole_window(seed: int, hop: int) -> None:
    made = _check(_random(seed), hop)
    assert made.macs < made.window_macs


def test_rows_that_no_filter_reaches_are_left_out() -> None:
    net = _Network(1, (1, _FRAMES, _FEATURES, 1))
    net.convolve(4, (4, 3), stride=2)  # leaves the last frame out
    net.convolve(4, (3, 3))
    net.mean()
    net.dense(3)
    _check(net.graph(), 2)


def test_padding_in_features_qualifies() -> None:
    net = _Network(2, (1, _FRAMES, _FEATURES, 1))
    net.convolve(4, (1, 3), padding="SAME")
    net.convolve(4, (3, 3))
    net.mean()
    net.dense(3)
    _check(net.graph(), 1)


def test_padding_in_time_is_refused_by_layer() -> None:
    net = _Network(3, (1, _FRAMES, _FEATURES, 1))
    net.convolve(4, (3, 3))
    net.convolve(4, (3, 3), padding="SAME")
    net.mean()
    net.dense(3)
    with pytest.raises(InputError, match=r"#1 CONV_2D: pads 2 of 31 rows in time"):
        incremental.transform(net.graph(), _FRAMES, 4)
    assert "VALID" in incremental.problem(net.graph(), _FRAMES, 4)


def test_a_hop_between_the_strides_is_refused() -> None:
    with pytest.raises(InputError, match="must be a multiple of 2"):
        incremental.transform(_random(0), _FRAMES, 5)


def test_a_hop_of_the_whole_window_is_refused() -> None:
    with pytest.raises(InputError, match="nothing would be kept"):
        incremental.transform(_random(0), _FRAMES, _FRAMES)
