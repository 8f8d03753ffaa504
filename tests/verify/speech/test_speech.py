"""The generated speech.c: compiles everywhere, and hears with the runtime what the host hears."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgeasr import features, paths, process
from edgeasr.codegen.environment import render
from edgeasr.decision import Decider, Decision
from edgeasr.features import (
    FeatureQuantization,
    FeatureScaling,
    FrontEnd,
    Quantization,
    UnsignedFeatureQuantization,
    WideFeatureQuantization,
)
from tests.conftest import missing

_FOLDER = Path(__file__).parent
_LABELS = ("_silence_", 'say "yes"', "no")
_QUANTIZATION = FeatureQuantization(256, 666, -128)
# Of a ratio of 49.7 and an offset of -20000.
_WIDE = WideFeatureQuantization(1_667_694_592, 11, -327_671_808)
_STRICT = (
    "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wcast-align -Wmissing-prototypes -Wvla -Werror"
).split()
_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float"}
_SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]
_CORES = {
    "gcc": [],
    "arm-none-eabi-gcc": "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16".split(),
    "aarch64-linux-gnu-gcc": [],
}


@dataclass(frozen=True)
class Case:
    front_end: FrontEnd
    frames: int
    decision: Decision
    quantization: Quantization = _QUANTIZATION
    streams: bool = False


_RULE = Decision(window=2, threshold=0.5, refractory_ms=100, hop_frames=5, ignored=("_silence_",))
CASES = {
    "micro": Case(FrontEnd(), 49, _RULE),
    "micro_every_third_frame": Case(
        FrontEnd(), 3, Decision(window=1, threshold=0.2, refractory_ms=0, hop_frames=3)
    ),
    "micro_streaming_model": Case(
        FrontEnd(),
        3,
        Decision(
            window=5,
            threshold=0.4,
            refractory_ms=100,
            warmup_ms=250,
            hop_frames=3,
            rule="micro_wake_word",
        ),
        streams=True,
    ),
    "micro_streaming_uint8": Case(
        FrontEnd(hop_ms=20),
        1,
        Decision(window=2, threshold=0.3, refractory_ms=90, hop_frames=1, ignored=("no",)),
        UnsignedFeatureQuantization(256, 666, 0),
        streams=True,
    ),
    "micro_float32": Case(FrontEnd(), 49, _RULE, FeatureScaling(0.0390625, -0.5)),
    "micro_every_frame": Case(
        FrontEnd(window_ms=20, hop_ms=20, channels=10, pcan=False, noise_reduction=False),
        20,
        Decision(window=4, threshold=0.4, refractory_ms=300, hop_frames=1),
    ),
    "micro_int16": Case(FrontEnd(), 49, _RULE, _WIDE),
    "logmel": Case(FrontEnd(kind="logmel", lower_hz=0.0, upper_hz=8000.0), 30, _RULE),
    "mfcc": Case(FrontEnd(kind="mfcc", hop_ms=20, coefficients=10), 49, _RULE),
    "micro_8khz_odd_window": Case(
        FrontEnd(sample_rate_hz=8000, window_ms=25.4, hop_ms=12.6, upper_hz=3800.0, channels=21),
        1,
        Decision(window=3, threshold=0.6, refractory_ms=500, hop_frames=2),
    ),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def generated(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech")
    context = features.c_context(
        case.front_end, case.frames, case.quantization, case.decision, _LABELS
    )
    for name in ("speech.c", "speech.h"):
        (folder / name).write_text(render(f"model/{name}.j2", {"banner": "test", **context}))
    return folder


@pytest.fixture(scope="module")
def driver(case: Case, generated: Path) -> Path:
    program = generated / "driver"
    sources = [generated / "speech.c", _FOLDER / "driver.c", _FOLDER / "fake_model.c"]
    process.run(
        [
            _compiler("gcc"),
            *_STRICT,
            *_SANITIZERS,
            f"-DFAKE_MODEL_TYPE={_C_TYPES[case.quantization.dtype]}",
            f"-DFAKE_STATE_BYTES={4 if case.streams else 0}",
            *_includes(generated),
            *sources,
            *_runtime(case.front_end),
            "-o",
            program,
        ]
    )
    return program


@pytest.mark.parametrize("compiler", list(_CORES))
def test_compiles_without_warning(case: Case, generated: Path, compiler: str) -> None:
    for source in (generated / "speech.c", *_runtime(case.front_end)):
        process.run(
            [
                _compiler(compiler),
                *_CORES[compiler],
                *_STRICT,
                "-O2",
                *_includes(generated),
                "-c",
                source,
                "-o",
                generated / "out.o",
            ]
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_clip_equals_host(case: Case, driver: Path, seed: int) -> None:
    pcm = _sound(case, seed)
    lines = _run(driver, "clip", seed, pcm)
    rows = features.compute(case.front_end, pcm)
    assert np.array_equal(_rows(lines, "frame"), rows)
    window = _window(case, rows)
    if case.streams:
        _check_stream(case, lines, rows)
    else:
        assert np.array_equal(_rows(lines, "window")[0], window.ravel())
        assert np.array_equal(_rows(lines, "scores"), [_scores(window)[0]])
        assert not _rows(lines, "event").size


@pytest.mark.parametrize("seed", [3, 4])
def test_stream_equals_host(case: Case, driver: Path, seed: int) -> None:
    pcm = _sound(case, seed)
    lines = _run(driver, "stream", seed, pcm)
    rows = features.compute(case.front_end, pcm)
    assert np.array_equal(_rows(lines, "frame"), rows)
    _check_stream(case, lines, rows)


def _check_stream(case: Case, lines: list[list[str]], rows: np.ndarray) -> None:
    decider = Decider(case.decision, _LABELS, case.front_end.sample_rate_hz)
    scores, events, kept = [], [], 0
    for end in range(case.frames, len(rows) + 1, case.decision.hop_frames):
        made, kept = _scores(_window(case, rows[:end]), kept if case.streams else 0)
        scores.append(made)
        event = decider.push(made, case.front_end.samples_for(end))
        if event:
            events.append([_LABELS.index(event.label), event.score, event.sample])
    assert np.array_equal(_rows(lines, "scores"), np.array(scores))
    assert events
    assert _rows(lines, "event").tolist() == events
    peak = decider.peak
    expected = [_LABELS.index(peak.label), peak.score, peak.sample]
    assert _rows(lines, "peak").tolist() == [expected]


def test_short_clip_is_padded_with_zero_features(case: Case, driver: Path) -> None:
    lines = _run(driver, "clip", 5, np.ones(10, np.int16))
    assert not _rows(lines, "frame").size
    silence = features.quantize(case.quantization, np.zeros(1, np.int16))
    assert set(_rows(lines, "window")[0]) == set(silence.astype(float).tolist())


def _compiler(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        missing(f"the compiler {name}")
    return str(path)


def _includes(generated: Path) -> list[str]:
    return [f"-I{generated}", f"-I{paths.runtime()}"]


def _runtime(front_end: FrontEnd) -> list[Path]:
    names = ("ear_recognizer.c", "ear_decision.c", *features.c_sources(front_end))
    return [paths.runtime() / name for name in names if name.endswith(".c")]


def _sound(case: Case, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    count = case.front_end.samples_for(case.frames + 60) + 77
    level = np.repeat(random.uniform(0, 9, count // 1000 + 1), 1000)[:count]
    return np.clip(random.normal(size=count) * np.exp(level), -32768, 32767).astype(np.int16)


def _window(case: Case, rows: np.ndarray) -> np.ndarray:
    """The window's last rows, quantized; rows not heard are those of features 0."""
    padded = np.zeros((case.frames, case.front_end.feature_count), np.int16)
    kept = rows[-case.frames :]
    padded[case.frames - len(kept) :] = kept
    return features.quantize(case.quantization, padded)


def _scores(window: np.ndarray, kept: int = 0) -> tuple[np.ndarray, int]:
    """Return what fake_model.c makes of a window, and its new state."""
    total = kept + int(np.trunc(window).astype(int).sum())
    steps = np.array([(total + 85 * i) % 256 for i in range(len(_LABELS))])
    scaled = {"int8": steps - 128, "uint8": steps, "int16": 128 * steps, "float32": steps / 256}
    return scaled[window.dtype.name].astype(window.dtype), total


def _run(driver: Path, mode: str, seed: int, pcm: np.ndarray) -> list[list[str]]:
    done = subprocess.run(
        [driver, mode, str(seed)], input=pcm.tobytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return [line.split() for line in done.stdout.decode().splitlines()]


def _rows(lines: list[list[str]], word: str) -> np.ndarray:
    return np.array([[float(v) for v in line[1:]] for line in lines if line[0] == word])
