"""From an ONNX file to firmware: what is imported is quantized, trained on and exported."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeasr import deploy, graph, importing, speech
from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.features import FrontEnd
from edgeasr.importing.agreement import BOUND
from edgeasr.quantize import FloatModel, IntegerModel, folding, quantize
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.training import quantizing
from tests.conftest import need_package
from tests.unit.importing.nets import WINDOW, tutorial

need_package("keras")
need_package("onnx")
LABELS = "_silence_,_unknown_,yes,no,maybe"
FACTS = """
name = "words"
labels = ["_silence_", "_unknown_", "yes", "no", "maybe"]
frames = 24
feature_scale = 0.01
feature_offset = -2.0
[front_end]
kind = "micro"
channels = 16
[decision]
threshold = 0.6
"""


def run(*words):
    from edgeasr.cli.import_ import app

    outcome = CliRunner().invoke(app, [str(word) for word in words])
    if outcome.exception and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return outcome.output


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return tutorial().write(tmp_path_factory.mktemp("net") / "net.onnx")


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(4).normal(0, 1, (120, *WINDOW)).astype(np.float32)


@pytest.fixture
def facts(tmp_path):
    file = tmp_path / "facts.toml"
    file.write_text(FACTS)
    return file


def original(net, windows):
    """Return what onnx's reference evaluator makes of windows, after a softmax."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(net))
    logits = np.concatenate([evaluator.run(None, {"window": w[None, None]})[0] for w in windows])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_a_float_model_comes_with_its_facts(net, facts, windows, tmp_path):
    told = run(net, "--facts", facts, "--out", tmp_path / "words.keras")
    assert "5 scores; a softmax was added" in told
    assert "largest difference from onnx's reference over 16 random inputs" in told
    source = quantizing.load_source(tmp_path / "words.keras")
    assert source.facts.labels == tuple(LABELS.split(","))
    assert source.facts.decision.threshold == 0.6
    assert source.facts.front_end == FrontEnd(kind="micro", channels=16)
    assert source.facts.provenance["imported"]["file"] == "net.onnx"
    assert len(source.facts.provenance["imported"]["sha256"]) == 64
    scores = np.asarray(source.model(windows[..., None]))
    assert np.abs(scores - original(net, windows)).max() < BOUND
    content = (tmp_path / "words.tflite").read_bytes()
    runner = FloatModel(content, 1.0, 0.0)
    steps = np.round(windows * 100).astype(np.int16)
    assert np.allclose(
        runner.scores(steps), original(net, steps.astype(np.float32)), atol=BOUND
    )  # as TFLite runs it


def test_recordings_of_windows_make_an_int8_model_at_once(net, facts, windows, tmp_path):
    data = tmp_path / "windows.npy"
    np.save(data, windows)
    made = json.loads(
        run(net, "--facts", facts, "--data", data, "--out", tmp_path / "words.tflite", "--json")
    )
    assert made["activations"] == "int8" and made["difference"] < made["bound"]
    model = speech.load(tmp_path / "words.tflite")
    assert [op.kind for op in model.graph.ops] == [
        "CONV_2D", "MAX_POOL_2D", "CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX",
    ]  # fmt: skip
    assert model.facts.provenance["quantization"]["activations"] == "int8"
    code = generate(
        model.graph, name="w", labels=model.facts.labels, content=model.content, board="host",
        where="w",
    )  # fmt: skip
    engine = HostModel(code, model.graph)
    reference = IntegerModel(model.content, 0.01, -2.0)
    features = np.random.default_rng(6).integers(0, 400, (20, *WINDOW)).astype(np.int16)
    inputs = reference.inputs(features)
    ours = np.stack([engine.invoke(row).ravel() for row in inputs])
    assert np.array_equal(ours, reference.scores(features))
    exact = original(net, features * np.float32(0.01) - 2)
    assert (ours.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.9


@pytest.mark.parametrize("activations", ["int16", "dynamic", "float16"])
def test_other_activations(net, windows, tmp_path, activations):
    made = importing.load(net, WINDOW)
    given = windows if activations == "int16" else None
    files = importing.write(made, None, tmp_path / "words", activations, given)
    parsed = graph.load(files[1])
    ends = {parsed.tensor(parsed.inputs[0]).dtype, parsed.tensor(parsed.outputs[0]).dtype}
    assert ends == ({"int16"} if activations == "int16" else {"float32"})


def test_recordings_calibrate_where_the_front_end_is_known(net, facts, tmp_path):
    from edgeasr.audio.pcm import write

    folder, rng = tmp_path / "clips", np.random.default_rng(5)
    for label in ("yes", "no"):
        (folder / label).mkdir(parents=True)
        for n in range(3):
            write(folder / label / f"{n}.wav", rng.integers(-9000, 9000, 16000, np.int16), 16000)
    told = run(net, "--facts", facts, "--data", folder, "--out", tmp_path / "words.tflite")
    assert "wrote" in told
    found = speech.load(tmp_path / "words.tflite").graph
    assert found.tensor(found.inputs[0]).dtype == "int8"
    with pytest.raises(InputError, match="calibrate a model whose front end is known; give it"):
        run(net, "--data", folder, "--out", tmp_path / "other.tflite")


def test_labels_alone_make_a_bare_model(net, windows, tmp_path):
    np.save(tmp_path / "windows.npy", windows)
    words = ("--labels", LABELS, "--data", tmp_path / "windows.npy")
    told = run(net, *words, "--out", tmp_path / "bare.tflite")
    assert "its front end is not known" in told
    model = speech.load(tmp_path / "bare.tflite", front_end=speech.OPTIONAL)
    assert model.facts.labels == tuple(LABELS.split(",")) and model.facts.front_end is None
    made = deploy.generate_model(model, "host")
    assert made.arena_bytes > 0


def test_facts_of_a_known_model_serve_another(net, tmp_path):
    facts = importing.read_facts("digits", "mine", LABELS.split(","))
    assert facts.name == "mine" and facts.provenance == {"task": "digits"}
    assert facts.labels == tuple(LABELS.split(","))
    assert importing.window(facts) == (49, 40)
    with pytest.raises(InputError, match="the facts give 49 frames of 40 features"):
        run(net, "--facts", "digits", "--labels", LABELS)


def test_the_end_stays_where_it_is_wanted_so(net, windows):
    made = importing.load(net, WINDOW, softmax=False)
    logits = np.asarray(made.built.model(windows[..., None]))
    assert made.built.end == ""
    assert np.abs(logits.sum(axis=1) - 1).max() > 0.1


def test_the_training_graph_takes_an_imported_model(net, windows):
    """Normalisation folds, ranges are seen, and the converter stores the very levels."""
    made = importing.load(net, WINDOW)
    training = TrainingGraph(folding.fold(made.built.model), -2.0)
    training.calibrate(windows)
    kinds = [op.kind for op in graph.parse(training.convert()).ops]
    assert kinds == [op.kind for op in graph.parse(quantize(made.built.model, windows)).ops]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--facts", "none.toml"], "none.toml: no such file; a TOML file of facts"),
        (["--out", "net.bin"], "net.bin: NAME.keras or NAME.tflite is needed"),
        (["--activations", "int8"], "needs recordings or windows; give --data"),
        (["--activations", "int4"], '--activations "int4" is not known; allowed: dynamic'),
        (["--labels", "a,a,b"], 'label "a" stands twice'),
        (["--labels", "a,b"], "5 outputs, the facts name 2 labels (a, b); one label for each"),
        (["--data", "none.npy"], "none.npy: not an .npy file of numbers"),
    ],
)
def test_wrong_words_are_refused(net, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        run(net, *words)
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((3, 7, 7), np.float32), r"windows of numbers \[n, 24, 16\] are needed"),
        (np.array([{}, {}], object), "not an .npy file of numbers"),
    ],
)
def test_windows_of_another_kind_are_refused(net, array, message, tmp_path):
    np.save(tmp_path / "windows.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        run(net, "--data", tmp_path / "windows.npy", "--out", tmp_path / "a.tflite")


def test_without_the_packages_the_way_to_them_is_told(net, tmp_path, monkeypatch):
    import importlib.util
    import sys

    from edgeasr.errors import ToolError

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    (tmp_path / "net.pt2").write_bytes(b"")
    with pytest.raises(ToolError, match=r"pip install 'edgeasr\[train,torch\]', or export"):
        importing.load(tmp_path / "net.pt2")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ToolError, match=r"onnx: not installed; .* 'edgeasr\[train,onnx\]'"):
        importing.load(net)
