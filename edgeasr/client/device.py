"""A device that speaks the protocol: each request is a method."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeasr import protocol
from edgeasr.client.exchange import Exchange
from edgeasr.client.listening import listen
from edgeasr.client.pcm import as_samples
from edgeasr.client.results import (
    ClipResult,
    Event,
    Hello,
    Level,
    Profile,
    Scores,
    SelfTest,
    StreamSummary,
    TensorResult,
)
from edgeasr.client.streaming import Stream
from edgeasr.client.upload import Upload
from edgeasr.errors import InputError, LinkError
from edgeasr.link import Link
from edgeasr.protocol import messages
from edgeasr.protocol.messages import READ_BYTES, TENSOR_TYPES, What

HELLO_TIMEOUT_S = 5.0
TIMEOUT_S = 60.0
RETRY_S = 1.0


class Device:
    """The device at the other end of a link, which stays the caller's to close.

    log: file for every byte that passes. timeout_s: longest time without an answer; an inference
    must end in it. retry_s: time until a request is sent again. inference_ticks: of the last
    inference that `tensor` asked for. After a LinkError the device can be
    used further: the next request, or another hello, starts afresh.
    """

    def __init__(
        self,
        link: Link,
        log: Path | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self.stream_summary: StreamSummary | None = None
        self.inference_ticks: int | None = None
        self._exchange = Exchange(link, log=log, timeout_s=timeout_s, retry_s=retry_s)
        self._hello: Hello | None = None

    def hello(self, timeout_s: float = HELLO_TIMEOUT_S) -> Hello:
        """Ask who is there; whatever was under way on the device is forgotten.

        Raises LinkError when nothing answers, or when it speaks another protocol version.
        """
        ask = messages.Hello(protocol.VERSION)
        frame = self._exchange.request_frame(ask, timeout_s=timeout_s)
        self._check_version(frame.payload)
        if frame.status != messages.OK:
            raise self._exchange.refusal(ask, frame.status)
        reply = self._exchange.decode(ask, frame)
        self._exchange.window_bytes = reply.rx_window_bytes
        texts = self._read(What.TEXT).decode(errors="replace").split("\0")
        if len(texts) != reply.label_count + 4:
            raise LinkError(
                f"{self._exchange.name}: the device named {len(texts) - 4} labels and has "
                f"{reply.label_count}; was the firmware made by another version of edgeasr?"
            )
        self._hello = _hello(reply, texts)
        return self._hello

    def reset(self) -> None:
        """Put the model's state to its start; a clip or a stream under way is forgotten."""
        self._exchange.request(messages.Reset())

    def tensor(self, data: bytes | np.ndarray, layer: int | None = None) -> bytes:
        """Run the model on its whole input, given as bytes or as an array; return its output.

        layer: return the output of this layer instead, and run no further. A model with state goes
        on from the inference before; see reset.
        """
        hello = self._known()
        if layer is not None and not 0 <= layer < hello.layer_count:
            raise InputError(f"layer {layer}: the model has layers 0 to {hello.layer_count - 1}")
        self._write_input(data)
        stop = messages.ALL_LAYERS if layer is None else layer
        self.inference_ticks = self._exchange.request(messages.Invoke(stop)).ticks
        return self._read(What.OUTPUT if layer is None else What.LAYER)

    def infer(self, data: bytes | np.ndarray) -> TensorResult:
        """Run the model on its whole input, as tensor does; return the output and its ticks."""
        self._write_input(data)
        reply = self._exchange.request(messages.Invoke(messages.ALL_LAYERS))
        return TensorResult(self._read(What.OUTPUT), reply.ticks)

    def digest(self, data: bytes | np.ndarray) -> tuple[bytes, tuple[int, ...]]:
        """Run the model on its whole input; return the output, and the CRC-32 of each layer's.

        The CRCs are of the first layers, as many as one reply holds: the model runs once.
        """
        self._write_input(data)
        reply = self._exchange.request(messages.Digest(0))
        crcs = np.frombuffer(reply.crcs[: len(reply.crcs) // 4 * 4], "<u4").tolist()
        return self._read(What.OUTPUT), tuple(crcs)

    def clip(self, pcm: np.ndarray, *, window: bool = False) -> ClipResult:
        """Let the device hear a clip and run the model on its last window, with state on each.

        pcm: int16 [samples], mono, at hello().sample_rate_hz. window: fetch the features that the
        model saw too.
        """
        hello, samples = self._known(), as_samples(pcm)
        if not len(samples):
            raise InputError("the clip is empty; a clip needs at least one sample")
        begin = time.monotonic()
        self._exchange.request(messages.ClipBegin())
        self._send_clip(samples)
        reply = self._exchange.request(messages.ClipEnd(len(samples)))
        output = reply.output
        if len(output) < hello.output_bytes:
            output = self._read(What.OUTPUT)
        result = ClipResult(
            output=np.frombuffer(output, hello.output_dtype),
            frames=reply.frames,
            features_crc=reply.features_crc,
            frontend_ticks=reply.frontend_ticks,
            inference_ticks=reply.inference_ticks,
            round_trip_s=time.monotonic() - begin,
            inferences=reply.inferences,
            outputs_crc=reply.outputs_crc,
            peak=Event(reply.label, reply.score, reply.sample) if hello.state_bytes else None,
            had_event=bool(reply.flags & messages.RESULT_EVENT),
        )
        return replace(result, window=self.window()) if window else result

    def window(self) -> np.ndarray:
        """Return the feature window as it is now, oldest frame first.

        Of the type of the model's input: [frames, feature_count].
        """
        hello = self._known()
        data = np.frombuffer(self._read(What.WINDOW), hello.input_dtype)
        return data.reshape(hello.frames, hello.feature_count)

    def stream(
        self, chunks: Iterable[np.ndarray], *, scores: bool = False
    ) -> Iterator[Event | Scores]:
        """Let the device listen to chunks of PCM of any size; yield each Event when it comes.

        scores: yield the Scores of each inference as well, before the event that it leads to.
        Once the stream ended, `stream_summary` holds what it amounted to.
        """
        self.stream_summary = None
        stream = Stream(self._exchange, scores=scores, dtype=self._known().output_dtype)
        yield from stream.run(chunks)
        self.stream_summary = stream.summary

    def self_test(self, first: int = 0, words: int = 0, echo: bytes = b"") -> SelfTest:
        """Let the device test words of its memory, and send `echo` back, which fits a frame.

        Raises RefusedError, status UNKNOWN, where the firmware has no self-test.
        """
        asked_s = time.monotonic()
        reply = self._exchange.request(messages.SelfTest(first, words, echo))
        return SelfTest(
            reply.ticks, reply.ram_words, reply.next, reply.echo, asked_s, time.monotonic()
        )

    def listen(
        self, *, scores: bool = False, every_s: float = 0.25
    ) -> Iterator[Event | Scores | Level]:
        """Let the device listen to its own microphone until the iterator is closed.

        Yields each Event when it comes, the Scores of each inference if asked for, and every
        `every_s` seconds a Level. Raises RefusedError where the firmware has no microphone.
        """
        dtype = self._known().output_dtype
        return listen(self._exchange, scores=scores, dtype=dtype, every_s=every_s)

    def profile(self, data: bytes | np.ndarray | None = None) -> Profile:
        """Time an inference, layer by layer.

        data: the model's input; zeros by default. A model with more layers than one reply holds is
        run several times: the total is that of the first.
        """
        hello = self._known()
        data = bytes(hello.input_bytes) if data is None else data
        ticks: list[int] = []
        total = None
        while total is None or len(ticks) < hello.layer_count:
            self._write_input(data)
            reply = self._exchange.request(messages.Profile(len(ticks)))
            more = np.frombuffer(reply.ticks[: len(reply.ticks) // 4 * 4], "<u4").tolist()
            total = reply.total if total is None else total
            if not more:
                break
            ticks += more
        return Profile(total, tuple(ticks))

    def _check_version(self, hello: bytes) -> None:
        """The version stands first in HELLO's reply, whatever else a version puts there."""
        speaks = int.from_bytes(hello[:2], "little")
        if speaks != protocol.VERSION:
            raise LinkError(
                f"{self._exchange.name}: the firmware speaks protocol version {speaks}, this "
                f"edgeasr version {protocol.VERSION}; export and build the firmware again with "
                "this edgeasr, or use the one that made it"
            )

    def _known(self) -> Hello:
        return self._hello or self.hello()

    def _write_input(self, data: bytes | np.ndarray) -> None:
        content = (
            np.ascontiguousarray(data).tobytes() if isinstance(data, np.ndarray) else bytes(data)
        )
        wanted = self._known().input_bytes
        if len(content) != wanted:
            raise InputError(f"the tensor has {len(content)} B; the model's input has {wanted} B")

        room = self._exchange.room(messages.Write)

        def piece(at: int) -> tuple[messages.Write, int]:
            part = content[at : at + room]
            return messages.Write(at, part), at + len(part)

        self._exchange.request(messages.InputBegin())
        upload = Upload(self._exchange, piece)
        upload.end = len(content)
        upload.finish()

    def _send_clip(self, samples: np.ndarray) -> None:
        room = self._exchange.room(messages.Audio) // 2

        def piece(at: int) -> tuple[messages.Audio, int]:
            part = samples[at : at + room]
            return messages.Audio(at, 0, part.tobytes()), at + len(part)

        upload = Upload(self._exchange, piece)
        upload.end = len(samples)
        upload.finish()

    def _read(self, what: What) -> bytes:
        data = bytearray()
        while True:
            reply = self._exchange.request(messages.Read(what, READ_BYTES, len(data)))
            data += reply.data
            if len(data) >= reply.total:
                return bytes(data)
            if not reply.data:
                raise LinkError(
                    f"{self._exchange.name}: {what.name} ended after {len(data)} of {reply.total} B"
                )


def _hello(reply: messages.HelloReply, texts: list[str]) -> Hello:
    board, engine, model_name, *labels = texts[:-1]
    return Hello(
        protocol_version=reply.protocol_version,
        runtime_version=reply.runtime_version,
        board=board,
        engine=engine,
        model_name=model_name,
        model_hash=reply.model_hash,
        labels=tuple(labels),
        sample_rate_hz=reply.sample_rate_hz,
        clip_samples=reply.clip_samples,
        frames=reply.frames,
        feature_count=reply.feature_count,
        input_bytes=reply.input_bytes,
        input_dtype=_dtype(reply.input_type),
        output_bytes=reply.output_bytes,
        output_dtype=_dtype(reply.output_type),
        layer_count=reply.layer_count,
        ticks_hz=reply.ticks_hz,
        rx_window_bytes=reply.rx_window_bytes,
        arena_bytes=reply.arena_bytes,
        dropped_frames=reply.dropped_frames,
        state_bytes=reply.state_bytes,
    )


def _dtype(number: int) -> str:
    return TENSOR_TYPES[number] if number < len(TENSOR_TYPES) else "uint8"
