"""inspect: the grid, packing and bytes of each layer, and what each lost against its original."""

import dataclasses
import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeasr import hil, inspection, oracle, paths, speech
from edgeasr.audio import catalog, read_clip
from edgeasr.audio.pcm import write
from edgeasr.codegen.packing import pack
from edgeasr.errors import InputError, ToolError
from edgeasr.graph import Graph, Tensor
from edgeasr.inspection.weights import recognise
from edgeasr.models import hearing
from edgeasr.quantize import grids, low_bit, rewriting, schemes
from edgeasr.training import quantizing
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize

TERNARY, UNIFORM4 = schemes.parse("ternary"), schemes.parse("uniform4")


def laplacian(shape=(32, 3, 3, 8), seed=3):
    return np.random.default_rng(seed).laplace(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        ("uniform8", "uniform8"),
        ("uniform5", "uniform5"),
        ("uniform4/max", "uniform4"),
        ("uniform3", "uniform3"),
        ("uniform2", "ternary"),
        ("ternary", "ternary"),
        ("pot4/max", "pot4"),
        ("pot3/max", "pot3"),
        ("codebook32", "table of 32"),
        ("codebook16/scales:tensor", "table of 16"),
        ("codebook16/group:16", "2 tables of 16"),
        ("table:-90,-9,0,8,91", "table of 5"),
        # All multiples of 25: as good as -2..2.
        ("table:-50,-25,0,25,50", "uniform3"),
    ],
)
def test_grids_are_recognised_from_the_values(scheme, name):
    values = grids.fit(laplacian(), schemes.parse(scheme), 0).values
    assert recognise(pack(values, 0)) == name


def test_few_weights_of_many_values_are_no_table():
    values = np.arange(-120, 121, 12, dtype=np.int8).reshape(21, 1) + np.int8(1)
    assert recognise(pack(values, 0)) == "uniform8"
    assert recognise(pack(np.zeros((4, 4), np.int8), 0)) == "ternary"
    # More values than a table can have.
    values = np.tile(np.arange(-36, 37, dtype=np.int8) * 3 + 1, 30).reshape(30, 73)
    assert recognise(pack(values, 0)) == "uniform8"


@pytest.fixture
def original(tmp_path):
    """A tiny model of wide layers, whose packing pays for its code."""
    content = serialize(tiny.graph(channels=600))
    path = tmp_path / "original.tflite"
    path.write_bytes(speech.embed(content, tiny.facts()))
    return path


def quantized(original, chosen, name="model.tflite", **provenance):
    """Write the original with the weights of some layers on their grids."""
    made = low_bit.quantize_weights(original.read_bytes(), chosen)
    path = original.with_name(name)
    path.write_bytes(speech.embed(made, tiny.facts(provenance=provenance)))
    return path


@pytest.fixture
def clips(tmp_path):
    """Forty sounds, each with one of the model's labels."""
    folder, rng = tmp_path / "clips", np.random.default_rng(6)
    for number in range(40):
        label = tiny.LABELS[number % len(tiny.LABELS)]
        (folder / label).mkdir(parents=True, exist_ok=True)
        times = np.arange(3000) / 16000
        wave = 9000 * np.sin(2 * np.pi * rng.uniform(100, 4000) * times * (1 + times))
        pcm = (wave * rng.uniform(0.1, 1) + rng.normal(0, 300, 3000)).astype(np.int16)
        write(folder / label / f"{number}.wav", pcm, 16000)
    return catalog.load(folder)


def test_each_layer_says_its_packing_and_bytes(original):
    seen = inspection.inspect(quantized(original, {0: TERNARY, 2: UNIFORM4}))
    first, second = seen.weights
    assert (first.op, first.kind, first.scheme, first.packing) == (
        0, "CONV_2D", "ternary", "ternary",
    )  # fmt: skip
    assert first.int8_bytes == 5400 and 5400 / 5 <= first.packed_bytes < 5400 / 4
    assert (second.op, second.scheme, second.packing) == (2, "uniform4", "uniform4")
    assert second.int8_bytes == 2400 and second.packed_bytes == 1200
    assert not first.stated
    found = json.loads(json.dumps(seen.to_dict()))["weights"]
    assert found["int8_bytes"] == 7800
    assert found["packed_bytes"] == first.packed_bytes + second.packed_bytes
    assert found["layers"][1]["packing"] == "uniform4"


def test_schemes_are_those_of_the_facts_where_the_values_allow(original):
    report = {
        "recipe": "hand", "weights": "ternary", "when": "post", "activations": "int8", "seed": 1,
        "layers": {"0": "ternary/channel/max", "2": "codebook8/tensor/mse", "9": "uniform4"},
        "test": {"accuracy": 0.5, "accuracy_float": 0.5, "clips": 2},
    }  # fmt: skip
    facts = quantizing.with_provenance(tiny.facts(), report).provenance
    made = quantized(original, {0: TERNARY, 2: schemes.parse("codebook8")}, **facts)
    stated = inspection.inspect(made).weights
    assert [row.scheme for row in stated] == ["ternary/channel/max", "codebook8/tensor/mse"]
    assert all(row.stated for row in stated)
    # Quantized again, to what the facts do not know.
    again = quantized(original, {0: UNIFORM4, 2: schemes.parse("codebook16")}, **facts)
    found = inspection.inspect(again).weights
    assert [row.scheme for row in found] == ["uniform4", "table of 16"]
    assert not any(row.stated for row in found)


@pytest.mark.parametrize("told", [None, "uniform4", {"layers": ["uniform4"]}, {"layers": {"0": 4}}])
def test_facts_that_are_no_schemes_are_passed_over(original, told):
    made = quantized(original, {0: TERNARY}, quantization=told)
    assert [row.scheme for row in inspection.inspect(made).weights] == ["ternary", "uniform8"]


def test_a_model_against_itself_lost_nothing(original, clips):
    found = inspection.compare(inspection.inspect(original), original, clips)
    assert [(layer.weights_db, layer.activations_db) for layer in found.layers] == [
        (np.inf, np.inf)
    ] * 2
    assert [layer.lost_alone for layer in found.layers] == [0, 0]
    assert found.clips == 40 and found.correct == found.correct_original
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["layers"][0]["sqnr_weights_db"] is None
    assert told["layers"][0]["points_lost_alone"] == 0


def correct(content, model, clips):
    """Count clips recognised, by the host's reference of `hil`, not by what is tested."""
    heard = hil.Reference(dataclasses.replace(model, content=content), "host")
    return sum(
        model.facts.labels[int(np.argmax(heard.scores(heard.window(heard.features(pcm)))))] == label
        for pcm, label in (
            (read_clip(clip, samples=model.facts.clip_samples), clip.label) for clip in clips
        )
    )


def test_accuracy_lost_alone_is_that_of_the_original_with_one_layer_changed(original, clips):
    model = speech.load(original)
    # Weights whose signs are turned lose what they can.
    dense = rewriting.read(model.content)[1]
    fitted = grids.fit(dense.weights, UNIFORM4, dense.axis)
    turned = rewriting.LayerWeights(-fitted.values, fitted.scales, -dense.bias)
    bad = rewriting.replace(low_bit.quantize_weights(model.content, {0: UNIFORM4}), {2: turned})
    path = original.with_name("bad.tflite")
    path.write_bytes(bad)
    steps = []
    found = inspection.compare(
        inspection.inspect(path), original, clips, lambda *step: steps.append(step)
    )
    whole = correct(model.content, model, clips)
    first = low_bit.quantize_weights(model.content, {0: UNIFORM4})
    second = rewriting.replace(model.content, {2: turned})
    assert found.correct_original == whole
    assert found.correct == correct(bad, model, clips)
    assert found.layers[0].lost_alone == whole - correct(first, model, clips)
    assert found.layers[1].lost_alone == whole - correct(second, model, clips)
    assert found.layers[1].lost_alone != 0
    assert found.layers[1].weights_db == pytest.approx(-6, abs=0.5)  # an error of twice the signal
    assert [done for _, done, _ in steps] == [0, 1, 2, 3, 4]
    assert steps[-1] == ("FULLY_CONNECTED #2 alone", 4, 5)


def rescaled(made: Graph, entry: float, inner: float, zero_point: int) -> Graph:
    """Return the graph with other scales of its input and of what is inside."""
    tensors = list(made.tensors)
    tensors[0] = dataclasses.replace(made.tensor(0), quantization=tiny.quantized(entry, zero_point))
    tensors[3] = dataclasses.replace(made.tensor(3), quantization=tiny.quantized(inner, zero_point))
    steps = made.tensor(1).quantization.scales * np.float32(entry)
    counts = np.rint(made.tensor(2).data * made.tensor(2).quantization.scales / steps)
    tensors[2] = dataclasses.replace(
        made.tensor(2), data=counts.astype(np.int32), quantization=tiny.quantized(steps)
    )
    return dataclasses.replace(made, tensors=tuple(tensors))


def renumbered(made: Graph) -> Graph:
    """Return the graph with a tensor that nothing uses before all others."""
    spare = Tensor(0, "spare", (1, 2), "int8", None, tiny.quantized(0.1))
    moved = [dataclasses.replace(tensor, index=tensor.index + 1) for tensor in made.tensors]

    def up(indices):
        return tuple(index + 1 if index >= 0 else index for index in indices)

    ops = [dataclasses.replace(op, inputs=up(op.inputs), outputs=up(op.outputs)) for op in made.ops]
    return Graph("main", (spare, *moved), tuple(ops), up(made.inputs), up(made.outputs))


def test_activations_are_compared_in_real_numbers(clips, tmp_path):
    files = []
    for name, made in (
        ("first", rescaled(tiny.graph(), 0.1, 0.4, -128)),
        ("second", renumbered(rescaled(tiny.graph(), 0.13, 0.5, -100))),
    ):
        files.append(tmp_path / f"{name}.tflite")
        files[-1].write_bytes(speech.embed(serialize(made), tiny.facts()))
    found = inspection.compare(inspection.inspect(files[1]), files[0], clips)
    for layer in found.layers:
        assert layer.weights_db == np.inf
        assert 25 < layer.activations_db < 60


def test_a_model_without_facts_has_those_of_its_original(original, clips):
    made = low_bit.quantize_weights(serialize(tiny.graph(channels=600)), UNIFORM4)
    path = original.with_name("bare.tflite")
    path.write_bytes(made)
    seen = inspection.inspect(path)
    assert seen.facts is None
    found = inspection.compare(seen, original, clips)
    assert found.correct == correct(made, speech.load(original), clips)


def test_without_recordings_weights_alone_are_compared(original, monkeypatch):
    made = quantized(original, UNIFORM4)
    monkeypatch.setattr(oracle, "available", lambda: False)
    found = inspection.compare(inspection.inspect(made), original)
    for layer, real, new in zip(
        found.layers, rewriting.read(original.read_bytes()), rewriting.read(made.read_bytes()),
        strict=True,
    ):  # fmt: skip
        noise = np.sum((real.weights - new.weights) ** 2)
        assert layer.weights_db == pytest.approx(10 * np.log10(np.sum(real.weights**2) / noise))
        assert layer.activations_db is None and layer.lost_alone is None
    assert found.to_dict()["layers"][0]["points_lost_alone"] is None


def test_recordings_need_tflite_micro(original, clips, monkeypatch):
    monkeypatch.setattr(oracle, "available", lambda: False)
    with pytest.raises(ToolError, match=r"tflite-micro: not installed.*pip install"):
        inspection.compare(inspection.inspect(original), original, clips)


def test_models_of_other_layers_or_labels_are_refused(original, tmp_path):
    seen = inspection.inspect(original)
    other = tiny.write_model(tmp_path / "other.tflite")
    with pytest.raises(
        InputError,
        match=r"^original.tflite and other.tflite do not have the same layers: CONV_2D #0 has "
        r"weights of shape \[600, 3, 3, 1\], CONV_2D #0 of \[4, 3, 3, 1\]; give the int8 model "
        r"that original.tflite was made of$",
    ):
        inspection.compare(seen, other)
    whole = tiny.graph(channels=600)
    first = tmp_path / "first.tflite"
    first.write_bytes(serialize(dataclasses.replace(whole, ops=whole.ops[:1], outputs=(3,))))
    with pytest.raises(InputError, match="do not have the same layers: 2 with weights, and 1; "):
        inspection.compare(seen, first)
    renamed = tmp_path / "renamed.tflite"
    labels = ("_silence_", "_unknown_", "ja", "no")
    renamed.write_bytes(speech.embed(original.read_bytes(), tiny.facts(labels=labels)))
    with pytest.raises(InputError, match=r"recognises _silence_, _unknown_, yes, no; renamed"):
        inspection.compare(seen, renamed)


def test_inputs_are_what_the_reference_hears(original, clips):
    model = speech.load(original)
    reference = hil.Reference(model, "host")
    made = hearing.inputs(model, clips[:3])
    assert made.shape == (3, tiny.FRAMES, tiny.CHANNELS, 1) and made.dtype == np.int8
    for row, clip in zip(made, clips, strict=False):
        pcm = read_clip(clip, samples=model.facts.clip_samples)
        assert np.array_equal(row[..., 0], reference.window(reference.features(pcm)))


def test_it_says_whether_rows_can_be_kept_and_if_not_why(original, tmp_path):
    stream = tiny.write_stream_model(tmp_path / "stream.tflite")
    seen = inspection.inspect(stream)
    assert seen.not_streaming == ""
    told = seen.to_dict()["incremental"]
    assert told == {"hop": 4, "frames": 15, "steps": 4, "macs": seen.streaming.macs}
    assert told["macs"] < seen.macs
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(serialize(tiny.stream_graph()))
    for path, wanted in (
        (original, "operator #0 CONV_2D: pads 1 of 7 rows in time"),
        (tiny.write_stream_model(tmp_path / "odd.tflite", 3), "the hop must be a multiple of 2"),
        (bare, "it has no front end, so there is no hop"),
    ):
        told = inspection.inspect(path).to_dict()["incremental"]
        assert list(told) == ["problem"]
        assert wanted in told["problem"]


def test_the_command_says_it_in_a_line_without_tensorflow(original, tmp_path):
    tiny.write_stream_model(tmp_path / "stream.tflite")
    (tmp_path / "tensorflow.py").write_text("raise ImportError")
    for name, wanted in (
        ("stream.tflite", "incremental: yes, with export --incremental: 4 of 15 frames an inf"),
        (original, "incremental: no: operator #0 CONV_2D: pads "),
    ):
        done = edgeasr(name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (line,) = [row for row in done.stdout.splitlines() if row.startswith("incremental")]
        assert line.startswith(wanted)


def edgeasr(*argv, cwd):
    command = [sys.executable, "-m", "edgeasr", "inspect", *map(str, argv)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The zoo's digits on four bits, and two sounds for two of its labels."""
    folder, rng = tmp_path_factory.mktemp("low-bit"), np.random.default_rng(2)
    content = (paths.zoo() / "digits.tflite").read_bytes()
    facts = speech.load(paths.zoo() / "digits.tflite").facts
    layers = {str(layer.op.index): "uniform4/channel/mse" for layer in rewriting.read(content)}
    provenance = {"quantization": {"recipe": "hand", "when": "post", "layers": layers}}
    made = low_bit.quantize_weights(content, UNIFORM4)
    facts = dataclasses.replace(facts, provenance=provenance)
    (folder / "d4.tflite").write_bytes(speech.embed(made, facts))
    for label in ("1", "2"):
        (folder / "clips" / label).mkdir(parents=True)
        pcm = rng.normal(0, 3000, 16000).astype(np.int16)
        write(folder / "clips" / label / "a.wav", pcm, 16000)
    return folder


def test_the_command_shows_a_table_that_fits_a_terminal(folder):
    argv = ("d4.tflite", "--against", "digits", "--data", "clips", "--split", "all")
    done = edgeasr(*argv, cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = [line.rstrip() for line in done.stdout.splitlines()]
    at = next(i for i, line in enumerate(rows) if line.startswith(" #  weights of"))
    assert max(map(len, rows[at - 1 : at + 26])) <= 100
    first = rows[at + 1].split()
    assert first[:8] == "0 CONV_2D uniform4 uniform4 400 B 200 B".split()
    assert first[9] == "dB" and first[11] == "dB" and float(first[12]) in (0, 50, -50, 100, -100)
    assert "weights: 32,640 B (31.9 KiB) as int8, 16,320 B (15.9 KiB) packed, 50.0 %" in rows
    assert "quantized by recipe hand, when post" in rows
    assert "  uniform4/channel/mse: #0–#22" in rows
    assert "SQNR and losses are against digits.tflite, on 2 clips (one is 50.00 points)" in rows


def test_the_command_says_the_same_in_json(folder):
    done = edgeasr("d4.tflite", "--against", "digits", "--json", cwd=folder)
    told = json.loads(done.stdout)
    assert told["weights"]["packed_bytes"] == 16320
    assert told["against"]["original"] == "digits.tflite"
    assert [row["op"] for row in told["against"]["layers"]] == [
        row["op"] for row in told["weights"]["layers"]
    ]
    assert all(10 < row["sqnr_weights_db"] < 40 for row in told["against"]["layers"])


def test_a_model_that_packs_nothing_takes_one_line(folder):
    said = edgeasr("digits", cwd=folder).stdout
    assert "\nweights: 32,640 B (31.9 KiB) in 18 layers, all raw int8 (uniform8): pack" in said
    assert "weights of" not in said


def test_each_operator_says_scale_and_place_of_its_output(folder):
    rows = json.loads(edgeasr("digits", "--json", cwd=folder).stdout)["operators"]
    graph = speech.load(paths.zoo() / "digits.tflite").graph
    for row, op in zip(rows, graph.ops, strict=True):
        made = graph.tensor(op.outputs[0])
        assert row["quantization"] == [made.quantization.scale, made.quantization.zero_point]
        assert row["output_bytes"] == made.elements
        assert 0 <= row["offset"] < 20_000


def test_the_memory_plan_is_drawn(folder):
    done = edgeasr("digits", "--picture", "plan.svg", cwd=folder)
    assert done.returncode == 0, done.stderr
    drawn = ElementTree.fromstring((folder / "plan.svg").read_text(encoding="utf-8"))
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "Memory plan of digits.tflite" in texts and "23 SOFTMAX" in texts
    (folder / "taken.svg").mkdir()
    refused = edgeasr("digits", "--picture", "taken.svg", cwd=folder)
    assert refused.returncode == 2 and "taken.svg: cannot be written" in refused.stderr


def test_recordings_without_an_original_are_refused(folder):
    done = edgeasr("d4.tflite", "--data", "clips", cwd=folder)
    assert done.returncode == 2
    assert "--data goes with --against ORIGINAL" in done.stderr


def test_real_speech_loses_little_on_four_bits(folder, shared_data):
    everything = catalog.load(shared_data / "digits")
    model = paths.zoo() / "digits.tflite"
    chosen, _ = hil.select(everything, speech.load(model).facts.labels, split="test", limit=12)
    found = inspection.compare(inspection.inspect(folder / "d4.tflite"), model, chosen)
    assert found.correct_original >= 9
    assert all(8 < layer.activations_db < 40 for layer in found.layers)
