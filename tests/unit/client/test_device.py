"""The client and the real C session, over a line without faults."""

import zlib

import numpy as np
import pytest

from edgeasr.client import Device, Event, Hello, RefusedError, Scores
from edgeasr.errors import InputError, LinkError
from edgeasr.link import ProcessLink
from edgeasr.protocol import messages
from tests.unit.client import fake


def test_hello_tells_who_is_there(line: ProcessLink) -> None:
    assert Device(line).hello() == Hello(
        protocol_version=2,
        runtime_version=1,
        board="fake",
        engine="ear",
        model_name="fake",
        model_hash=bytes(range(1, 9)),
        labels=("_silence_", '"quoted"', "*/", "grün", "yes"),
        sample_rate_hz=16000,
        clip_samples=2000,
        frames=20,
        feature_count=40,
        input_bytes=800,
        input_dtype="int8",
        output_bytes=5,
        output_dtype="int8",
        layer_count=150,
        ticks_hz=1_000_000,
        rx_window_bytes=2048,
        arena_bytes=1600,
        dropped_frames=0,
    )


def test_a_tensor_gives_the_output_and_any_layer(line: ProcessLink) -> None:
    device = Device(line)
    data = np.random.default_rng(1).integers(0, 256, 800).astype(np.uint8)
    assert device.tensor(data) == fake.layer(data.tobytes(), 149)
    for layer in (0, 1, 77, 148, 149):
        assert device.tensor(data.tobytes(), layer) == fake.layer(data.tobytes(), layer)


def test_frames_are_as_short_as_the_devices_window(
    narrow_line: ProcessLink, pcm: np.ndarray
) -> None:
    device = Device(narrow_line)
    assert device.hello().rx_window_bytes == 256
    data = np.random.default_rng(2).integers(0, 256, 800).astype(np.uint8).tobytes()
    assert device.tensor(data) == fake.layer(data, 149)
    assert device.tensor(data, 3) == fake.layer(data, 3)
    assert len(device.profile(data).layer_ticks) == 150
    heard = device.clip(pcm, window=True)
    assert heard.window.tolist() == fake.window(pcm).tolist()
    assert len(list(device.stream([pcm]))) == sum(f[0] == "event" for f in fake.stream(pcm))


@pytest.mark.parametrize("samples", [1, 99, 100, 251, 252, 253, 2000, 12345])
def test_a_clip_is_heard_bit_for_bit(line: ProcessLink, pcm: np.ndarray, samples: int) -> None:
    heard = Device(line).clip(pcm[:samples], window=True)
    window = fake.window(pcm[:samples])
    assert heard.output.dtype == np.int8
    assert heard.output.tolist() == fake.output(window.tobytes()).tolist()
    assert heard.frames == samples // 100
    assert heard.features_crc == fake.features_crc(pcm[:samples])
    assert heard.window.tolist() == window.tolist()
    assert heard.inference_ticks == 7
    assert (heard.inferences, heard.peak, heard.had_event) == (1, None, False)
    assert heard.outputs_crc == zlib.crc32(heard.output.tobytes())
    assert heard.frontend_ticks >= 7 * (samples // 100)
    assert heard.round_trip_s > 0


def collect(device: Device, chunks: list[np.ndarray], *, scores: bool) -> list[tuple]:
    found = []
    for item in device.stream(chunks, scores=scores):
        match item:
            case Event(label, score, sample):
                found.append(("event", label, score, sample))
            case Scores(values, sample):
                found.append(("scores", tuple(values.tolist()), sample))
    return found


@pytest.mark.parametrize("chunk", [37, 160, 252, 5000, 20000])
def test_a_stream_yields_every_score_and_event_in_order(
    line: ProcessLink, pcm: np.ndarray, chunk: int
) -> None:
    device = Device(line)
    chunks = [pcm[at : at + chunk] for at in range(0, len(pcm), chunk)]
    wanted = fake.stream(pcm)
    assert len(wanted) > 60
    assert collect(device, chunks, scores=True) == wanted
    summary = device.stream_summary
    assert (summary.samples, summary.frames, summary.inferences) == (12345, 123, 52)
    assert summary.features_crc == fake.features_crc(pcm)
    assert collect(device, chunks, scores=False) == [w for w in wanted if w[0] == "event"]


def test_state_lasts_over_tensors_until_it_is_reset(stateful_line: ProcessLink) -> None:
    device = Device(stateful_line)
    assert device.hello().state_bytes == 4

    def added() -> int:
        return (device.tensor(bytes(800))[0] - fake.layer(bytes(800), 149)[0]) % 256

    assert [added(), added(), added()] == [0, 1, 2]
    device.reset()
    assert [added(), added()] == [0, 1]
    device.tensor(bytes(800), layer=3)  # ends before the layer that keeps the count
    assert added() == 2
    device.hello()
    assert added() == 0


def test_a_digest_is_of_every_layer_that_fits(stateful_line: ProcessLink) -> None:
    device = Device(stateful_line)
    data = np.random.default_rng(3).integers(-128, 128, 800).astype(np.int8)
    output, crcs = device.digest(data)
    assert output == fake.layer(data.tobytes(), 149)
    assert crcs == tuple(zlib.crc32(fake.layer(data.tobytes(), n)) for n in range(128))
    again, same = device.digest(data)
    assert (again[0] - output[0]) % 256 == 1  # the state went on, by one inference
    assert (again[1:], same) == (output[1:], crcs)


def test_a_stream_and_a_clip_start_the_state_afresh(
    stateful_line: ProcessLink, pcm: np.ndarray
) -> None:
    device = Device(stateful_line)
    wanted = fake.stream(pcm, state=True)
    assert wanted != fake.stream(pcm)
    device.tensor(bytes(800))
    for _ in range(2):
        assert collect(device, [pcm], scores=True) == wanted
    heard = device.clip(pcm)
    outputs = [values for kind, values, *_ in wanted if kind == "scores"]
    *_, last = (Event(*rest) for kind, *rest in wanted if kind == "event")
    assert heard.inferences == len(outputs) == 52
    assert heard.output.tolist() == list(outputs[-1])
    assert heard.outputs_crc == zlib.crc32(np.array(outputs, np.int8).tobytes())
    assert (heard.peak, heard.had_event) == (last, True)
    short = device.clip(pcm[:100])
    assert (short.inferences, short.had_event) == (0, False)


def test_a_reset_ends_a_clip(line: ProcessLink, pcm: np.ndarray) -> None:
    device = Device(line)
    device.hello()
    exchange = device._exchange
    exchange.request(messages.ClipBegin())
    device.reset()
    with pytest.raises(RefusedError, match="CLIP_END refused: not possible in the state"):
        exchange.request(messages.ClipEnd(0))
    assert device.clip(pcm).frames == 123


def test_a_profile_has_all_layers_though_one_reply_holds_fewer(line: ProcessLink) -> None:
    profile = Device(line).profile()
    assert profile.layer_ticks == (7,) * 150
    assert profile.total_ticks == 7 * 301


def test_a_host_that_vanishes_leaves_a_device_that_goes_on(
    line: ProcessLink, pcm: np.ndarray
) -> None:
    first = Device(line)
    stream = first.stream([pcm, pcm], scores=True)
    next(stream)
    line.write(b"\x00\x0b\x01half a frame")
    del stream
    second = Device(line)
    assert second.hello().dropped_frames == 1
    assert second.clip(pcm).output.tolist() == fake.output(fake.window(pcm).tobytes()).tolist()
    assert collect(second, [pcm], scores=True) == fake.stream(pcm)


def test_requests_after_one_another_do_not_disturb(line: ProcessLink, pcm: np.ndarray) -> None:
    device, data = Device(line), bytes(800)
    for _ in range(3):
        assert device.tensor(data) == fake.layer(data, 149)
        assert device.clip(pcm[:500]).frames == 5
        assert len(collect(device, [pcm[:4000]], scores=True)) == 14
        assert device.tensor(data, 3) == fake.layer(data, 3)
        assert device.window().shape == (20, 40)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda d: d.tensor(bytes(799)), "the tensor has 799 B; the model's input has 800 B"),
        (lambda d: d.tensor(bytes(800), 150), "layer 150: the model has layers 0 to 149"),
        (lambda d: d.clip(np.zeros(0, np.int16)), "the clip is empty"),
        (lambda d: d.clip(np.zeros(9)), "PCM is float64 of shape [9]"),
        (lambda d: d.clip(np.zeros((9, 2), np.int16)), "PCM is int16 of shape [9, 2]"),
    ],
)
def test_wrong_input_is_refused_before_it_is_sent(line: ProcessLink, act, message: str) -> None:
    device = Device(line)
    device.hello()
    with pytest.raises(InputError) as caught:
        act(device)
    assert message in str(caught.value)
    assert device.clip(np.zeros(100, np.int16)).frames == 1


def test_a_device_that_ends_says_so(program) -> None:
    link = fake.start(program)
    device = Device(link)
    device.hello()
    link.process.kill()
    with pytest.raises(LinkError, match="ended with exit code -9; it said: nothing"):
        device.hello()
    link.close()
