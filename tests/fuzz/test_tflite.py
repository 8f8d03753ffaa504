"""Damaged `.tflite` files: whatever the bytes, a graph or a sentence; never a crash or a hang."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, deploy, inspection, paths, speech
from edgeasr import graph as graphs
from edgeasr.codegen.model import ModelCode, generate
from edgeasr.errors import EdgeasrError, InputError
from edgeasr.graph import Graph
from tests import tiny
from tests.conftest import need
from tests.fuzz.mutations import mutated
from tests.vectors.kernels.programs import random
from tests.vectors.kernels.tflite_builder import serialize

_ROUNDS = 1500
_MOST_S = 5
_SAMPLE = 12
_SANITIZED = "gcc -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()


def _use(content: bytes) -> ModelCode | None:
    """Read a file and generate its C; None, after a look at the sentence, where it is refused."""
    start = time.process_time()
    try:
        graph = graphs.parse(content, "x.tflite")
        return generate(
            graph, name="x", labels=("a",), content=content, board="b", where="x.tflite",
            packing="raw",
        )  # fmt: skip
    except InputError as error:
        assert str(error).startswith("x.tflite: ") and len(str(error)) > 20
        return None
    finally:
        assert time.process_time() - start < _MOST_S


@pytest.fixture(scope="module")
def content() -> bytes:
    return serialize(tiny.graph())


def test_the_whole_file_is_usable(content: bytes) -> None:
    assert _use(content)


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes(content: bytes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(_ROUNDS):
        damaged = np.frombuffer(content, np.uint8).copy()
        places = rng.integers(0, len(damaged), rng.integers(1, 6))
        damaged[places] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))], len(places))
        refused += not _use(damaged.tobytes())
    assert refused > _ROUNDS // 20


def test_truncations(content: bytes) -> None:
    for length in range(len(content)):
        _use(content[:length])


@pytest.mark.parametrize("name", ["mww_v2_vad", "tflm_audio_preprocessor_int8"])
def test_truncations_of_third_party_models(name: str, shared_data: Path) -> None:
    whole = (shared_data / "models" / f"{name}.tflite").read_bytes()
    for length in range(0, len(whole), 61):
        _use(whole[:length])


def test_words_replaced_by_extremes(content: bytes) -> None:
    """Every aligned word once: offsets, lengths, indices, enums, scales."""
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    for value in (0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000):
        for place in range(len(words)):
            damaged = words.copy()
            damaged[place] = value
            _use(damaged.tobytes())


def test_damaged_third_party_models(shared_data: Path) -> None:
    """Bytes and words of all of them, but for those of weights, where nothing is told apart."""
    rng = np.random.default_rng(1)
    used = 0
    for path in sorted((shared_data / "models").glob("*.tflite")):
        whole = path.read_bytes()
        places = _structure(whole)
        for _ in range(40):
            used += _use(_damaged(whole, places, rng)) is not None
    assert used > 50


def _structure(content: bytes) -> np.ndarray:
    """Return the places of all bytes that are not data of a tensor."""
    is_data = np.zeros(len(content), bool)
    for tensor in graphs.parse(content).tensors:
        if tensor.data is not None and tensor.data.nbytes > 32:
            at = content.find(tensor.data.tobytes())
            is_data[at : at + tensor.data.nbytes] = at >= 0
    return np.flatnonzero(~is_data)


def _damaged(content: bytes, places: np.ndarray, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.choice(places))
        if rng.random() < 0.5:
            damaged[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, damaged[at] ^ 1]))
        else:
            word = int(rng.choice([0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000]))
            at = at // 4 * 4
            damaged[at : at + 4] = word.to_bytes(4, "little")
    return bytes(damaged[: len(content)])


def _bases(shared_data: Path) -> list[Graph]:
    names = ("mww_v2_vad", "tflm_keyword_scrambled", "tflm_audio_preprocessor_int8")
    models = [graphs.load(shared_data / "models" / f"{name}.tflite") for name in names]
    return [tiny.graph(), *models, *(random(seed) for seed in range(6))]


def _wrong(bases: list[Graph], count: int, seed: int) -> Iterator[bytes]:
    """Yield the files of up to `count` graphs that are wrong in some way."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        graph = mutated(bases[rng.integers(len(bases))], rng)
        try:
            yield serialize(graph)
        except (TypeError, ValueError, OverflowError):
            continue  # the change has no form in a file


def test_wrong_graphs_are_inspected_and_given_to_tflm_or_refused(
    shared_data: Path, tmp_path: Path
) -> None:
    board, path = boards.load("qemu_mps2_an386"), tmp_path / "x.tflite"
    seen = dict.fromkeys(("inspected", "exported"), 0)
    for content in _wrong(_bases(shared_data), 250, 2):
        path.write_bytes(content)
        with contextlib.suppress(EdgeasrError):
            assert inspection.inspect(path).to_dict()
            seen["inspected"] += 1
        with contextlib.suppress(EdgeasrError):
            deploy.generate_tflm(deploy.load_model(str(path), front_end=speech.NONE), board)
            seen["exported"] += 1
    assert all(20 < count < 240 for count in seen.values()), seen


def test_wrong_graphs_are_refused_or_run_in_bounds(shared_data: Path, tmp_path: Path) -> None:
    """Of what passes, a sample runs under the sanitizers, three times with a reset between."""
    need("gcc")
    made = [
        code
        for code in map(_use, _wrong(_bases(shared_data), 700, 1))
        if code and code.plan.ram_bytes < 1 << 22 and sum(layer.macs for layer in code.layers) < 1e8
    ]
    assert 20 < len(made) < 350
    for i, code in enumerate(made[:: len(made) // _SAMPLE]):
        folder = tmp_path / str(i)
        folder.mkdir()
        for name, text in code.files.items():
            (folder / name).write_text(text)
        sources = [str(paths.runtime() / s) for s in code.sources if s.endswith(".c")]
        subprocess.run(
            [*_SANITIZED, f"-I{paths.runtime()}", f"-I{folder}", str(folder / "model.c"),
             str(Path(__file__).parent / "invoke.c"), *sources, "-lm", "-o", str(folder / "run")],
            check=True,
        )  # fmt: skip
        done = subprocess.run([str(folder / "run")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
