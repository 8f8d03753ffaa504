"""Signal operators where TFLite-Micro leaves output unwritten, and its whole front-end model."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.lower import lower
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.features import FrontEnd, compute
from edgeasr.features.specification import specification
from edgeasr.graph import Graph, parse
from edgeasr.oracle import Oracle
from tests.vectors.kernels.building import Case, Make
from tests.vectors.kernels.oracle import expected
from tests.vectors.kernels.test_kernels import ours

_FILE = "tflm_audio_preprocessor_int8.tflite"
_WINDOWS = 200
_WINDOW = 480


def _case(kind: str, options: dict, *, shape: tuple, results: tuple, invocations: int = 1) -> Case:
    make = Make(np.random.default_rng(11))
    make.feed(shape, "int16")
    for result in results:
        make.result(*result)
    make.invocations = invocations
    return make.case(kind, f"CUSTOM:{kind}", options)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 9), (0, 12), (12, 12)])
def test_energies_outside_the_range_are_zero(start: int, end: int) -> None:
    case = _case(
        "SignalEnergy", {"end_index": end, "start_index": start}, shape=(24,),
        results=(((12,), "uint32"),),
    )  # fmt: skip

    got, wanted = ours(case)[0][0], expected(case)[0][0]

    assert np.array_equal(got[start:end], wanted[start:end])
    assert not got[:start].any() and not got[end:].any()


@pytest.mark.parametrize(
    ("step", "length", "frames", "prefill"),
    [
        (3, 10, 1, False), (3, 10, 1, True), (3, 9, 1, False), (3, 9, 1, True), (3, 3, 2, False),
        (3, 3, 2, True), (4, 5, 3, False), (4, 5, 3, True), (5, 2, 2, False),
    ],
)  # fmt: skip
def test_frames_are_valid_once_there_is_enough(
    step: int, length: int, frames: int, prefill: bool
) -> None:
    case = _case(
        "SignalFramer", {"frame_size": length, "frame_step": step, "prefill": prefill},
        shape=(2, frames * step), results=(((2, frames, length), "int16"), ((), "bool")),
        invocations=9,
    )  # fmt: skip

    steps = list(zip(ours(case), expected(case), strict=True))

    assert all(got[1] == wanted[1] for got, wanted in steps)
    assert all(np.array_equal(got[0], wanted[0]) for got, wanted in steps if wanted[1])
    assert steps[-1][0][1]
    if not prefill and length > frames * step:
        assert not steps[0][0][0][:, 0].any()


@pytest.mark.parametrize(
    ("left", "right", "step"), [(0, 0, 1), (2, 0, 1), (2, 3, 1), (2, 3, 2), (0, 4, 5), (1, 1, 3)]
)
def test_stacks_are_valid_once_there_is_enough(left: int, right: int, step: int) -> None:
    options = {
        "num_channels": 4,
        "stacker_left_context": left,
        "stacker_right_context": right,
        "stacker_step": step,
    }
    results = (((4 * (left + right + 1),), "int16"), ((), "bool"))
    case = _case("SignalStacker", options, shape=(4,), results=results, invocations=20)

    steps = list(zip(ours(case), expected(case), strict=True))

    assert [bool(got[1]) for got, _ in steps] == [bool(wanted[1]) for _, wanted in steps]
    assert all(np.array_equal(got[0], wanted[0]) for got, wanted in steps if wanted[1])
    assert any(got[1] for got, _ in steps)


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("SignalRfft", {"T": 7, "fft_length": 48}, "power of two"),
        ("SignalRfft", {"T": 7, "fft_length": 8}, "allowed: 16 to 32768"),
        ("SignalRfft", {"T": 0, "fft_length": 64}, "option T is float32; supported: int16, int32"),
        ("SignalRfft", {"T": 2, "fft_length": 64}, "is int16; supported: int32"),
        ("SignalRfft", {"T": 9, "fft_length": 64}, "option T is type 9 of the schema"),
        ("SignalRfft", {"fft_length": 64}, "has the options fft_length; it takes T, fft_length"),
        ("SignalRfft", {"T": 7, "fft_length": 16}, "rows of 30"),
        ("SignalIrfft", {"T": 7, "fft_length": 16}, "makes it 18"),
        ("SignalDelay", {"delay_length": -1}, "delay_length is -1"),
        ("SignalDelay", {"delay_length": 1 << 15, "x": 0}, "it takes delay_length"),
        ("SignalFramer", {"frame_size": 9, "frame_step": 7, "prefill": True}, "no multiple"),
        ("SignalFramer", {"frame_size": 4, "frame_step": 5, "prefill": True}, "at most frame_size"),
        ("SignalOverlapAdd", {"T": 7, "frame_step": 31}, "2 dimensions"),
        ("SignalEnergy", {"end_index": 16, "start_index": 0}, "end_index is 16"),
        ("SignalEnergy", {"end_index": 5, "start_index": 6}, "start_index is 6"),
    ],
)
def test_what_cannot_work_is_refused(kind: str, options: dict, says: str) -> None:
    results = (((30,), "uint32" if kind == "SignalEnergy" else "int16"), ((), "bool"))
    count = 2 if kind == "SignalFramer" else 1
    case = _case(kind, options, shape=(30,), results=results[:count])

    with pytest.raises(InputError, match=says) as refusal:
        lower(case.graph, case.op)

    assert str(refusal.value).startswith(f"operator #0 CUSTOM:{kind}: ")


def test_bands_that_reach_beyond_the_spectrum_are_refused() -> None:
    make = Make(np.random.default_rng(2))
    make.feed((20,), "uint32")
    for values in ([1] * 9, [1] * 9, [0, 4, 15], [0, 3, 6], [3, 3, 6]):
        make.hold(np.array(values, np.int16))
    make.result((2,), "uint64")
    case = make.case("bands", "CUSTOM:SignalFilterBank", {"num_channels": 2})

    with pytest.raises(InputError, match="band 2 reaches over bins 15 to 20; there are 20"):
        lower(case.graph, case.op)


def _windows() -> np.ndarray:
    """Noise of all levels, silence, full scale; in one row, windows that follow each other."""
    rng = np.random.default_rng(1)
    made = [rng.normal(0, 10 ** rng.uniform(0, 4.5), _WINDOW) for _ in range(_WINDOWS)]
    made[10] = np.zeros(_WINDOW)
    made[20] = rng.choice([-32768, 32767, 0], _WINDOW)
    return np.array(made).clip(-32768, 32767).astype(np.int16)


def _model(content: bytes, graph: Graph) -> HostModel:
    labels = [str(i) for i in range(40)]
    code = generate(graph, name="x", labels=labels, content=content, board="host", where="x")
    return HostModel(code, graph)


def test_the_front_end_model_equals_tflite_micro(shared_data: Path) -> None:
    """Layer by layer over 200 windows, with a reset in the middle; state is kept between them."""
    content = (shared_data / "models" / _FILE).read_bytes()
    graph = parse(content, _FILE)
    model, reference = _model(content, graph), Oracle(content, graph=graph, keep_tensors=True)
    unwritten = np.r_[0:5, 241:257]  # what TFLite-Micro's SignalEnergy leaves, up to the slice
    for number, samples in enumerate(_windows()):
        if number == _WINDOWS // 2:
            model.reset()
            reference.reset()
        layers = model.layers(samples)
        reference.invoke(samples)
        for layer, got in zip(model.code.layers, layers, strict=True):
            wanted = np.asarray(reference.tensor(layer.tensor)).reshape(got.shape).copy()
            if got.shape == (257,) and layer.index < 6:
                wanted[unwritten] = 0
            assert np.array_equal(got, wanted), f"window {number}, layer {layer.index} {layer.kind}"


def _with_tables_of(graph: Graph, front_end: FrontEnd) -> Graph:
    """Give the model the window and the bands of a front end: upstream rounds its own down."""
    tables = specification(front_end).fields["tables"].target.fields
    packed, widths = tables["weights"], tables["widths"].astype(np.int16)
    before = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int16)
    bands = (
        (packed & 0xFFFF).astype(np.int16), (packed >> 16).astype(np.int16),
        before + np.int16(tables["first_bin"]), before, widths,
    )  # fmt: skip
    ops = {op.kind: op for op in graph.ops}
    replaced = {ops["CUSTOM:SignalWindow"].inputs[1]: tables["window"]}
    replaced |= dict(zip(ops["CUSTOM:SignalFilterBank"].inputs[1:], bands, strict=True))
    tensors = tuple(
        dataclasses.replace(t, data=replaced[t.index], shape=replaced[t.index].shape)
        if t.index in replaced
        else t
        for t in graph.tensors
    )
    return dataclasses.replace(graph, tensors=tensors)


def test_the_front_end_model_equals_the_micro_front_end(shared_data: Path) -> None:
    """Windows of 30 ms every 20 ms: two implementations of one front end, on the same tables."""
    front_end = FrontEnd(window_ms=30, hop_ms=20)
    content = (shared_data / "models" / _FILE).read_bytes()
    model = _model(content, _with_tables_of(parse(content, _FILE), front_end))
    rng = np.random.default_rng(3)
    level = np.repeat(10 ** rng.uniform(0, 4.3, 50), 1600)
    samples = (rng.normal(0, 1, len(level)) * level).clip(-32768, 32767).astype(np.int16)

    found = [
        model.invoke(samples[at : at + _WINDOW]).ravel()
        for at in range(0, len(samples) - _WINDOW + 1, front_end.hop_samples)
    ]

    # How micro_speech quantizes features: 256 / 666, rounded, less 128.
    rows = compute(front_end, samples).astype(int)
    wanted = np.clip((rows * 256 + 333) // 666 - 128, -128, 127)
    assert np.array_equal(np.array(found), wanted)
    assert len(np.unique(wanted)) > 100
