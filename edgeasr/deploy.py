"""The pipeline from a speech model to a firmware project, readable from top to bottom."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edgeasr import __version__, boards, features, microlite, paths, project, protocol, speech
from edgeasr.boards import Board
from edgeasr.codegen import cname, coverage, extensions, manifests, tflite, tflm, tflm_arena
from edgeasr.codegen.environment import render
from edgeasr.codegen.incremental import Incremental, transform
from edgeasr.codegen.macs import macs as operation_macs
from edgeasr.codegen.model import PACKINGS, ModelCode, banner, generate
from edgeasr.codegen.runtime import RUNTIME_VERSION
from edgeasr.codegen.sources import closure
from edgeasr.codegen.tflite import TfliteCode
from edgeasr.codegen.tflm import TflmCode
from edgeasr.errors import CheckError, InputError, alternatives
from edgeasr.project import Manifest, Project
from edgeasr.speech import SpeechModel
from edgeasr.units import format_bytes

DEFAULT_MODEL = "digits"
ENGINES = ("ear", "tflm")
# And TensorFlow Lite itself, where there is an operating system for its Python.
ALL_ENGINES = (*ENGINES, tflite.ENGINE)

Code = ModelCode | TflmCode | TfliteCode
_PYTHON_PORT = "linux"
_SESSION = ("ear_session.c", "ear_session_model.c")
# Firmware without a front end is sent tensors alone, for which nobody waits: short frames do. Its
# model is called from less deep in the stack.
_BARE_RX_BYTES = 256
_BARE_STACK_LESS_BYTES = 512
# Beginnings of the names of source files in which little time is spent.
_SMALL = (
    "main.",
    "port_",
    "startup.",
    "ear_session",
    "ear_frames.",
    "ear_recognizer",
    "ear_decision.",
)
# What firmware without a recogniser leaves out, though the session includes its headers.
_RECOGNISER_SOURCES = {"ear_recognizer.c", "ear_decision.c", "ear_frontend.c"}


def zoo_names() -> tuple[str, ...]:
    """Return the names of the speech models that the package ships."""
    return tuple(sorted(path.stem for path in paths.zoo().glob("*.tflite")))


def find_model(name_or_path: str) -> Path:
    """Return the path of a model of the zoo, by its name, or of any `.tflite` file."""
    path = Path(name_or_path)
    if path.suffix == ".tflite" or path.exists():
        return path
    if name_or_path not in zoo_names():
        raise InputError(
            f'model "{name_or_path}" not found: neither a .tflite file nor a model of the zoo; '
            f"{alternatives(name_or_path, zoo_names())}"
        )
    return paths.zoo() / f"{name_or_path}.tflite"


def load_model(
    name_or_path: str, *, facts: Path | None = None, front_end: str = speech.NEEDED
) -> SpeechModel:
    """Load a model of the zoo by its name, or any by its path; the rest is as in speech.load."""
    return speech.load(find_model(name_or_path), facts=facts, front_end=front_end)


def export(
    model: SpeechModel,
    board: Board,
    out: Path,
    *,
    engine: str = "ear",
    packing: str | None = None,
    kind: str = manifests.CMAKE,
    replace: bool = False,
    incremental: bool = False,
) -> Project:
    """Write the firmware project of a model for a board into the folder `out`.

    packing: of weights in the engine `ear`, one of PACKINGS; None stands for the first, and is all
    that `tflm` takes. kind: build system, one of manifests.KINDS; with another than CMake, the port
    is that framework's, and the board says what the model must fit. incremental: each inference, of
    the engine `ear`, computes what its new frames change and keeps the rest.

    Raises InputError when the engine cannot run the model or the folder is in use, CheckError when
    the model cannot fit the board; nothing is written then.
    """
    if engine not in ALL_ENGINES:
        raise InputError(f'engine "{engine}" not found; {alternatives(engine, ALL_ENGINES)}')
    manifests.check(kind)
    if engine != "ear" and packing is not None:
        raise InputError(
            f'packing "{packing}": the {engine} engine takes weights as the .tflite has them; '
            "leave it out, or choose the engine ear"
        )
    streaming = make_incremental(model, engine) if incremental else None
    if engine == "tflm":
        code: Code = generate_tflm(model, board, kind=kind)
    elif engine == tflite.ENGINE:
        _check_python(board, kind)
        code = generate_tflite(model, board)
    else:
        code = generate_model(
            dataclasses.replace(model, graph=streaming.graph) if streaming else model,
            board.name,
            packing=packing or PACKINGS[0],
            extension=extensions.of_core(board.core),
        )
    if not model.hears and not board.port.hosted:
        board = _bare_board(board, engine)
    check_fit(model, code, board)
    files = project_files(model, board, code, incremental=incremental)
    if kind != manifests.CMAKE:
        context = manifests.Context(
            project=_project_context(model, engine),
            board=boards.c_context(board),
            version=__version__,
            arena_bytes=code.arena_bytes,
        )
        files = manifests.manifests(kind, context, files)
    manifest = _manifest(model, board, code, engine, kind)
    if streaming:
        manifest = dataclasses.replace(manifest, hop=streaming.hop, steps=streaming.steps)
    return project.write(out, files, manifest, replace=replace)


def _bare_board(board: Board, engine: str) -> Board:
    """Return the board as firmware that hears nothing uses it."""
    less = _BARE_STACK_LESS_BYTES if engine == "ear" else 0
    return dataclasses.replace(
        board,
        rx_bytes=min(board.rx_bytes, _BARE_RX_BYTES),
        stack_bytes=max(board.stack_bytes - less, board.stack_bytes // 2),
    )


def make_incremental(model: SpeechModel, engine: str = "ear") -> Incremental:
    """Return the streaming form of a window model, for the hop of its decision.

    Raises InputError with what stands in the way.
    """
    where = f"{model.path.name}: cannot be computed incrementally"
    if engine != "ear":
        raise InputError(f"{where}: the engine {engine} runs whole windows; choose the engine ear")
    if not model.hears:
        raise InputError(f"{where}: it has no front end, so there is no hop; give facts with one")
    try:
        return transform(model.graph, model.facts.frames, model.facts.decision.hop_frames)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def generate_model(
    model: SpeechModel,
    board_name: str,
    *,
    packing: str = PACKINGS[0],
    extension: str = extensions.NONE,
) -> ModelCode:
    """Generate the C of the model itself, for the engine `ear`; it names the board it is for.

    packing and extension: as in codegen.model.generate.
    """
    if packing not in PACKINGS:
        raise InputError(f'packing "{packing}" not found; {alternatives(packing, PACKINGS)}')
    where = model.path.name
    try:
        _check_ends(model)
        return generate(
            model.graph,
            name=model.name,
            labels=_labels(model),
            content=model.content,
            board=board_name,
            where=where,
            packing=packing,
            extension=extension,
        )
    except InputError as error:
        raise InputError(f"{error}{_other_engine(model)}") from None


def _other_engine(model: SpeechModel) -> str:
    """Propose TFLite-Micro where it may run what the `ear` engine cannot."""
    try:
        tflm.check(model.graph, model.path.name)
    except InputError:
        return ""
    return "\n  TFLite-Micro has these operations, if not of all types: try --engine tflm"


def generate_tflm(model: SpeechModel, board: Board, *, kind: str = manifests.CMAKE) -> TflmCode:
    """Generate the C++ of the model itself, for the engine `tflm`; kind: as of export."""
    return tflm.generate(
        model.graph,
        name=model.name,
        labels=_labels(model),
        content=model.content,
        board=board.name,
        where=model.path.name,
        target=manifests.library_build(kind, _tflm_build(board)),
        hosted=board.port.hosted,
    )


def generate_tflite(model: SpeechModel, board: Board) -> TfliteCode:
    """Generate what has TensorFlow Lite run the model, from Python."""
    return tflite.generate(
        model.graph,
        name=model.name,
        labels=_labels(model),
        content=model.content,
        board=board.name,
        where=model.path.name,
    )


def _check_python(board: Board, kind: str) -> None:
    if board.port.name != _PYTHON_PORT or kind != manifests.CMAKE:
        raise InputError(
            f"board {board.name}: the engine {tflite.ENGINE} is a Python program, for a computer "
            "with Linux and projects of cmake; choose the engine ear or tflm, or a board of "
            "'edgeasr boards' that runs Linux"
        )


def _tflm_build(board: Board) -> tflm_arena.Target:
    """Return which build of TFLite-Micro a board's firmware is linked with."""
    if board.port.hosted:
        return tflm_arena.HOST
    try:
        return tflm_arena.cortex_m(board.core)
    except ValueError as error:
        raise InputError(f"board {board.name}: the engine tflm: {error}") from None


def _labels(model: SpeechModel) -> tuple[str, ...]:
    """Return the labels that the firmware names: of a bare model without any, one for them all."""
    return model.facts.labels or ("?",)


def _check_ends(model: SpeechModel) -> None:
    """Refuse a model of floats by its first operation on them, and other ends by their names."""
    graph, where = model.graph, model.path.name
    runs = not coverage.check(graph)
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensor(index)
        if tensor.dtype in speech.ENDS if runs else tensor.dtype in speech.INTEGER_ENDS:
            continue
        for op in graph.ops:
            made = [
                graph.tensor(i) for i in op.outputs if graph.tensor(i).dtype.startswith("float")
            ]
            if made and op.kind != "DEQUANTIZE" and not runs:
                raise InputError(
                    f"{where}: operation {op.kind} #{op.index} computes in {made[0].dtype}; the "
                    "ear engine runs integers only; quantize it with 'edgeasr quantize "
                    "--activations int8' or int16, or run this file on Linux in TensorFlow Lite, "
                    "with --engine tflite"
                )
        if model.hears and tensor.dtype not in speech.ENDS:
            raise InputError(
                f'{where}: tensor "{tensor.name}" is {tensor.dtype}; the firmware hands features '
                f"of {', '.join(speech.ENDS)} to a model and takes such scores; quantize it with "
                "'edgeasr quantize', or export it for tensors alone, with --bare"
            )


def needs(code: Code, board: Board) -> dict[str, tuple[int, int | None]]:
    """Return what is known before any compiler runs of the RAM and flash that a model needs.

    By "RAM" and "flash": bytes needed at least, and bytes that the board has, None without limit.
    """
    stack = board.stack_bytes + (microlite.STACK_BYTES if isinstance(code, TflmCode) else 0)
    return {
        "RAM": (code.ram_bytes + board.rx_bytes + stack, board.ram_bytes),
        "flash": (code.constant_bytes, board.flash_bytes),
    }


def check_fit(model: SpeechModel, code: Code, board: Board) -> None:
    """Refuse, before any compiler runs, what cannot fit: arena and constants against the board."""
    largest = max(code.layers, key=lambda layer: layer.constant_bytes)
    for what, (needed, has) in needs(code, board).items():
        if has is not None and needed > has:
            raise CheckError(
                f"model {model.name} needs at least {format_bytes(needed)} of {what}, board "
                f"{board.name} has {format_bytes(has)}; its largest constants are those of "
                f"{largest.kind} #{largest.op} ({format_bytes(largest.constant_bytes)}); "
                "try a smaller model, or another board of 'edgeasr boards'"
            )


def project_files(
    model: SpeechModel, board: Board, code: Code, *, incremental: bool = False
) -> Mapping[str, str | bytes]:
    """Return every file of the project but its manifest: content by relative path."""
    files: dict[str, str | bytes] = _model_files(code)
    files |= _speech_files(model, board, incremental)
    files[f"model/{_file_name(model)}"] = model.content
    if not model.is_embedded:
        files[speech.FACTS_FILE] = json.dumps(model.facts.to_dict(), indent=2) + "\n"
    for name in _runtime_files(model, code):
        files[f"runtime/{name}"] = (paths.runtime() / name).read_bytes()
    files["port/port.h"] = (paths.firmware_templates() / "port" / "port.h").read_bytes()
    for name, path in board.port.files.items():
        files[f"port/{name}"] = path.read_bytes()
    if board.file:
        files[f"board/{board.name}.toml"] = board.file.read_bytes()
    if isinstance(code, TfliteCode):
        return files | _rendered(model, board, tflite.ENGINE, [], python=_sources(files))
    engine = "tflm" if isinstance(code, TflmCode) else "ear"
    sources = _sources([*files, "src/main.c"])
    beside = None if incremental else _python_beside(model, board)
    if beside is None:
        return files | _rendered(model, board, engine, sources)
    held = {f"runtime/{name}" for name in _runtime_files(model, beside)}
    shared = [f for f in files if not f.startswith(("model/", "runtime/")) or f in held]
    speech_source = [f for f in files if f == "model/speech.c"]
    added = _model_files(beside)
    return (
        files
        | added
        | _rendered(
            model, board, engine, sources, python=_sources([*shared, *speech_source, *added])
        )
    )


def _sources(files: Iterable[str]) -> list[str]:
    return sorted(name for name in files if name.endswith((".c", ".cpp")))


def _model_files(code: Code) -> dict[str, str | bytes]:
    """Return the generated files of a model by their path in the project."""
    folder = tflite.FOLDER if isinstance(code, TfliteCode) else "model"
    return {f"{folder}/{name}": text for name, text in code.files.items()}


def _python_beside(model: SpeechModel, board: Board) -> TfliteCode | None:
    """Return the program of the engine tflite, which a Raspberry Pi's project has beside its own;
    None on other boards, and for a model that it cannot run."""
    if board.port.name != _PYTHON_PORT or not board.compiler.prefix:
        return None
    try:
        return generate_tflite(model, board)
    except InputError:
        return None


def _speech_files(model: SpeechModel, board: Board, incremental: bool) -> dict[str, str]:
    """Return what the recogniser is generated as; a bare model has none."""
    facts = model.facts
    if facts.front_end is None:
        return {}
    context = {
        "banner": banner(model.name, model.content, board.name),
        **features.c_context(
            facts.front_end,
            facts.frames,
            model.feature_quantization,
            facts.decision,
            facts.labels,
            incremental=incremental,
        ),
    }
    names = ("speech.c", "speech.h")
    return {f"model/{name}": render(f"model/{name}.j2", context) for name in names}


def _runtime_files(model: SpeechModel, code: Code) -> list[str]:
    """Return the names of the runtime's files that the firmware is built from, headers too."""
    session = {name for part in _SESSION for name in closure(part)}
    if model.facts.front_end is not None:
        parts = (*closure("ear_session_audio.c"), *closure("ear_session_proof.c"))
        heard = {*parts, *features.c_sources(model.facts.front_end)}
        return sorted({*session, *heard, *code.sources})
    bare = {*session, "ear_session_audio_none.c", "ear_recognizer_none.c"} - _RECOGNISER_SOURCES
    return sorted({*bare, *code.sources})


def _self_test(board: Board) -> list[tuple[str, str, str]]:
    """Return the constants of the self-test: the memory that it tries."""
    if "data" not in board.memory:
        return [("EAR_SELF_TEST_RAM_BYTES", "0u", "memory that SELF_TEST tries: the system's")]
    region = board.memory["data"]
    base = boards.literal("ram_base", region.origin)
    return [
        ("EAR_SELF_TEST_RAM_BASE", base, "memory for data, which SELF_TEST tries"),
        ("EAR_SELF_TEST_RAM_BYTES", f"{region.bytes}u", "size of that memory"),
    ]


def _rendered(
    model: SpeechModel, board: Board, engine: str, sources: list[str], *, python: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of the project itself. python: sources of the library beside Python."""
    more = microlite.STACK_BYTES if engine == "tflm" else 0
    of_board = boards.c_context(board)
    if model.hears:
        of_board["constants"] += _self_test(board)
    context = {
        "board": {**of_board, "stack_bytes": board.stack_bytes + more},
        "protocol": protocol.c_context(),
        "tflm": microlite.c_context(board),
        "project": {
            **_project_context(model, engine),
            "sources": sources,
            "small_sources": []
            if board.port.hosted
            else [source for source in sources if Path(source).name.startswith(_SMALL)],
            "python": list(python),
            "include_dirs": ["src", "model", "runtime", "port"],
        },
    }
    targets = {
        "CMakeLists.txt": "CMakeLists.txt",
        "README.md": "README.md",
        "src/main.c": "main.c",
        "src/board_config.h": "board_config.h",
        "src/ear_protocol.h": "ear_protocol.h",
    }
    if engine == tflite.ENGINE:
        del targets["src/main.c"]
    if not board.port.hosted:
        targets["linker.ld"] = "linker.ld"
    if engine == "tflm":
        targets["cmake/FindTFLM.cmake"] = "FindTFLM.cmake"
    return {path: render(f"project/{name}.j2", context) for path, name in targets.items()}


def _project_context(model: SpeechModel, engine: str) -> dict[str, object]:
    """Return what the templates know of a project, whatever builds it."""
    return {
        "generator": f"edgeasr {__version__}",
        "name": program_name(model),
        "model_name": model.name,
        "model_hash": model.sha256[:16],
        "model_file": f"model/{_file_name(model)}",
        "engine": engine,
        "hears": model.hears,
        "sample_rate_hz": model.facts.front_end.sample_rate_hz if model.hears else 0,
    }


def program_name(model: SpeechModel) -> str:
    """Return the name of the firmware's program: the model's, as an identifier."""
    return cname.identifier(model.name).lower()


def _file_name(model: SpeechModel) -> str:
    return f"{program_name(model)}.tflite"


def macs(model: SpeechModel) -> int:
    """Return the multiply-accumulates of one inference."""
    return sum(operation_macs(model.graph, op) for op in model.graph.ops)


def _manifest(model: SpeechModel, board: Board, code: Code, engine: str, kind: str) -> Manifest:
    return Manifest(
        generator=f"edgeasr {__version__}",
        board=board.name,
        engine=engine,
        program=program_name(model),
        model_name=model.name,
        model_file=f"model/{_file_name(model)}",
        model_sha256=model.sha256,
        labels=model.facts.labels,
        arena_bytes=code.arena_bytes,
        # In TFLite-Micro's arena it is a part.
        state_bytes=code.state_bytes if engine == "ear" else 0,
        constant_bytes=code.constant_bytes,
        layers=code.layers,
        build_system=kind,
        runtime_version=RUNTIME_VERSION,
    )
