"""What a port proves of itself: its clock, its line, its memory, and that it computes as the host.

Each check is a sentence when it holds, and a CheckError with the cure when it does not.
"""

import time
from collections.abc import Callable, Iterator

from edgeasr import boards
from edgeasr.boards import Board
from edgeasr.client import Device, RefusedError
from edgeasr.connect import Connected
from edgeasr.errors import CheckError
from edgeasr.hil.tensors import compare_tensors, random_inputs
from edgeasr.protocol.messages import UNKNOWN_ERROR
from edgeasr.units import format_bytes

# A crystal is within 0.01 %, an oscillator without one within 2 %. A simulator that keeps this
# computer's time does so as far as this computer has time for it; others have a time of their own.
_TOLERANCE = 0.02
_TOLERANCES = {"native": _TOLERANCE, "qemu_system": 0.3}
_LASTS_S = 1.0
_TRIES = 3
_LOOKS = 5
_ECHO_BYTES = 64
_STEP_WORDS = 4096
_WRAP = 1 << 32


def prove(
    connected: Connected, on_step: Callable[[str], None] = lambda text: None
) -> tuple[str, ...]:
    """Check a running firmware's port; return what was found, a sentence each.

    on_step hears each as it is found. Raises CheckError for what does not hold.
    """
    board = boards.of_project(connected.project.folder, connected.project.manifest.board)
    found = []
    for check in (_line, _clock, _memory, _layers):
        for sentence in check(connected, board):
            on_step(sentence)
            found.append(sentence)
    return tuple(found)


def _line(connected: Connected, board: Board) -> Iterator[str]:
    """Every value of a byte goes there and back."""
    values = bytes(range(256))
    try:
        for at in range(0, len(values), _ECHO_BYTES):
            sent = values[at : at + _ECHO_BYTES]
            if (came := connected.device.self_test(echo=sent).echo) != sent:
                raise CheckError(
                    f"board {board.name}: its line changes bytes: {sent.hex(' ')} came back as "
                    f"{came.hex(' ')}; look at its UART's settings in port {board.port.name}"
                )
    except RefusedError as refused:
        if refused.status == UNKNOWN_ERROR:
            yield "self-test: this firmware has none (it hears nothing, or another system built it)"
            return
        raise
    yield "line: all 256 values of a byte come back"


def _clock(connected: Connected, board: Board) -> Iterator[str]:
    """The ticks that the board says it counts, against this computer's clock."""
    tolerance = _TOLERANCES.get(connected.runner) if connected.runner else _TOLERANCE
    if tolerance is None or not _has_self_test(connected):
        return
    hertz = connected.hello.ticks_hz
    for _ in range(_TRIES):  # a computer that is busy elsewhere shows another time than the board
        rate, passed_s, unsure = _rate(connected.device, hertz)
        allowed = tolerance + unsure
        if abs(rate - 1) <= allowed:
            differs = 100 * (rate - 1)
            yield f"clock: {differs:+.2f} % in {passed_s:.2f} s ({100 * allowed:.1f} % may differ)"
            return
    raise CheckError(
        f"board {board.name}: its clock counts {rate * hertz:,.0f} ticks a "
        f"second, its file says ticks_hz = {hertz}; {100 * allowed:.1f} % may differ; correct "
        f"the file, or the clocks of port {board.port.name}"
    )


def _rate(device: Device, hertz: int) -> tuple[float, float, float]:
    """Return the board's time by this computer's, the time it took in seconds, and the doubt."""
    begin, begin_s, early = _look(device)
    time.sleep(_LASTS_S)
    end, end_s, late = _look(device)
    passed_s = end_s - begin_s
    return ((end - begin) % _WRAP) / hertz / passed_s, passed_s, (early + late) / passed_s


def _look(device: Device) -> tuple[int, float, float]:
    """Return the ticks, when they were read, and by how much that may be wrong, in seconds."""
    answers = [device.self_test() for _ in range(_LOOKS)]
    best = min(answers, key=lambda answer: answer.answered_s - answer.asked_s)
    unsure_s = (best.answered_s - best.asked_s) / 2
    return best.ticks, best.asked_s + unsure_s, unsure_s


def _memory(connected: Connected, board: Board) -> Iterator[str]:
    """Each word with those that a broken address line would join it with."""
    if not _has_self_test(connected):
        return
    device, words = connected.device, connected.device.self_test().ram_words
    steps = range(0, words, _STEP_WORDS)
    if connected.runner not in (None, *_TOLERANCES):
        steps = steps[:1]  # a slow simulator, whose memory is this computer's
    tested = 0
    for first in steps:
        count = min(_STEP_WORDS, words - first)
        if (reached := device.self_test(first, count).next) != first + count:
            address = board.memory["data"].origin + 4 * reached
            raise CheckError(
                f"board {board.name}: its memory at {address:#010x} does not keep what is written "
                "there; does memory.data say what the chip has? else the chip is broken"
            )
        tested += count
    if words:
        of = "" if tested == words else f" of {format_bytes(4 * words)}"
        yield f"memory: {format_bytes(4 * tested)}{of} keep what is written, each word by itself"


def _layers(connected: Connected, board: Board) -> Iterator[str]:
    """One inference on a random input, layer by layer."""
    report = compare_tensors(connected, random_inputs(connected.model.graph, 1, seed=1))
    if not report.agrees:
        wrong = f"layer {report.layers_unequal[0]}" if report.layers_unequal else "the output"
        raise CheckError(
            f"board {board.name}: {wrong} differs from {report.reference}'s on the same input; "
            "nothing may differ; report it with 'edgeasr hil PROJECT --random 10 --log FILE'"
        )
    yield f"layers: {report.layers} of {report.layers} and the output equal {report.reference}'s"


def _has_self_test(connected: Connected) -> bool:
    try:
        connected.device.self_test()
    except RefusedError as refused:
        if refused.status == UNKNOWN_ERROR:
            return False
        raise
    return True
