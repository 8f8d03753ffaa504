"""Projects for other build systems: what they hold, and that they compile and answer.

The frameworks themselves are stand-ins here (framework_stubs): as much of their API as a port uses.
"""

import configparser
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, connect, deploy, speech
from edgeasr.codegen import manifests
from edgeasr.codegen.host import HostModel
from edgeasr.errors import InputError
from edgeasr.project import Project
from tests import tiny
from tests.conftest import need, need_package

_STUBS = Path(__file__).parent / "framework_stubs"
_TFLM = Path(__file__).parent / "tflm_stub"
_FOLDERS = {"platformio": "arduino", "esp-idf": "esp_idf"}
_OTHERS = [kind for kind in manifests.KINDS if kind != manifests.CMAKE]
_STRICT = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wundef", "-Werror", "-O1"]


def _export(folder: Path, kind: str, engine: str = "ear") -> Project:
    model = speech.load(tiny.write_model(folder / "m.tflite"))
    board = boards.load("qemu_mps2_an386")
    return deploy.export(model, board, folder / "project", engine=engine, kind=kind)


def _build(made: Project, kind: str) -> Path:
    """Compile all sources of a project with the stand-in, as its build system would find them."""
    need("gcc", "g++")
    stub = _STUBS / _FOLDERS.get(kind, kind)
    found = [p for p in made.folder.rglob("*") if p.suffix in (".c", ".cpp", ".ino")]
    source = next(p.parent for p in found if p.name == "ear_app.c")
    include = [f"-I{folder}" for folder in (source, stub)]
    include += [f"-isystem{_TFLM}", f"-isystem{_TFLM / 'third_party' / 'flatbuffers' / 'include'}"]
    objects = []
    library = _TFLM.rglob("*.cc") if made.manifest.engine == "tflm" else ()
    for path in [*found, *stub.glob("stub.*"), *library]:
        target = made.folder / "build" / f"{path.name}.o"
        target.parent.mkdir(exist_ok=True)
        is_c = path.suffix == ".c"
        language = (
            ["gcc", "-std=gnu11"]
            if is_c
            else ["g++", "-std=gnu++17", "-fno-exceptions", "-fno-rtti"]
        )
        sketch = [] if is_c else ["-include", "Arduino.h"] * (path.suffix == ".ino")
        subprocess.run(
            [*language, *_STRICT, *include, "-DCONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC=1000000", *sketch,
             "-x", "c" if is_c else "c++", "-c", path, "-o", target],
            check=True,
        )  # fmt: skip
        objects.append(target)
    program = made.folder / "build" / "program"
    subprocess.run(["g++", *objects, "-lm", "-o", program], check=True)
    return program


@pytest.mark.parametrize("kind", _OTHERS)
def test_a_project_compiles_on_its_framework_and_gives_the_host_s_answer(
    kind: str, tmp_path: Path
) -> None:
    made = _export(tmp_path, kind)

    program = _build(made, kind)

    with connect.connect(made, port=f"exec:{program}") as connected:
        window = np.random.default_rng(4).integers(-128, 128, connected.hello.input_bytes, np.int8)
        answer = connected.device.tensor(window.tobytes())
    model = connected.model
    host = HostModel(deploy.generate_model(model, "host"), model.graph)
    wanted = host.invoke(window.reshape(model.graph.tensor(model.graph.inputs[0]).shape))
    assert answer == wanted.tobytes()


@pytest.mark.parametrize("kind", _OTHERS)
def test_a_project_of_the_engine_tflm_compiles_with_a_stand_in_and_answers(
    kind: str, tmp_path: Path
) -> None:
    made = _export(tmp_path, kind, "tflm")

    program = _build(made, kind)

    with connect.connect(made, port=f"exec:{program}") as connected:
        assert connected.hello.engine == "tflm"
        assert connected.device.tensor(bytes(connected.hello.input_bytes)) == bytes([4] * 4)


@pytest.mark.parametrize("kind", _OTHERS)
def test_sources_of_the_library_lie_in_one_folder(kind: str, tmp_path: Path) -> None:
    made = _export(tmp_path, kind, "tflm")
    names = [p.name for p in made.folder.rglob("*") if p.suffix in (".c", ".cpp", ".h")]
    program = {"platformio": 1, "esp-idf": 1}.get(kind, 0)
    library = next(made.folder.rglob("ear_app.c")).parent
    assert len(list(library.iterdir())) == len(names) - program
    assert len(names) == len(set(names))
    assert "ear_tflm_bare.cpp" not in names
    assert made.model_path.is_file()
    assert not list(made.folder.rglob("linker.ld"))


def test_arduino_s_own_library_needs_a_larger_arena(tmp_path: Path) -> None:
    arena = {}
    for kind in (manifests.CMAKE, "zephyr", "arduino"):
        (tmp_path / kind).mkdir()
        arena[kind] = _export(tmp_path / kind, kind, "tflm").manifest.arena_bytes
    assert arena[manifests.CMAKE] < arena["zephyr"] < arena["arduino"]


def test_an_arduino_library_has_its_properties_and_an_example(tmp_path: Path) -> None:
    made = _export(tmp_path, "arduino", "tflm")
    lines = (made.folder / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    wanted = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url")
    assert set(wanted) <= set(properties)
    assert properties["depends"] == "Arduino_TensorFlowLite"
    assert len(properties["name"]) <= 63 and properties["name"].startswith("EdgeASR_")
    assert (made.folder / "src" / properties["includes"]).is_file()
    sketch = made.folder / "examples" / "Listen" / "Listen.ino"
    assert "#include <TensorFlowLite.h>" in sketch.read_text()


def test_the_ear_engine_depends_on_nothing(tmp_path: Path) -> None:
    for kind in _OTHERS:
        folder = tmp_path / kind
        folder.mkdir()
        made = _export(folder, kind)
        for path in made.folder.rglob("*"):
            if path.suffix in (".properties", ".ini", ".yml", ".conf", ".txt", ".ino", ".md"):
                assert "tensorflow" not in path.read_text().lower(), path


def test_platformio_reads_its_files(tmp_path: Path) -> None:
    made = _export(tmp_path, "platformio", "tflm")
    parser = configparser.ConfigParser()
    parser.read(made.folder / "platformio.ini")
    default = parser["platformio"]["default_envs"]
    assert parser[f"env:{default}"]["board"] == "nano33ble"
    assert parser["env"]["lib_deps"].endswith("tflite-micro-arduino-examples.git")
    manifest = json.loads(next(made.folder.glob("lib/*/library.json")).read_text())
    library = next(made.folder.glob("lib/*"))
    assert (library / manifest["build"]["srcDir"] / manifest["headers"]).is_file()


@pytest.mark.parametrize("engine", deploy.ENGINES)
def test_zephyr_and_esp_idf_name_all_sources(engine: str, tmp_path: Path) -> None:
    for kind, lists in (("zephyr", "."), ("esp-idf", "components/*")):
        folder = tmp_path / kind
        folder.mkdir()
        made = _export(folder, kind, engine)
        base = next(made.folder.glob(lists)) if lists != "." else made.folder
        text = (base / "CMakeLists.txt").read_text()
        sources = [p for p in (base / "src").iterdir() if p.suffix in (".c", ".cpp")]
        assert sources and all(f"src/{path.name}" in text for path in sources)


@pytest.mark.parametrize("engine", deploy.ENGINES)
def test_yaml_manifests_are_what_west_and_the_component_manager_take(
    engine: str, tmp_path: Path
) -> None:
    yaml = need_package("yaml")
    for kind in ("zephyr", "esp-idf"):
        (tmp_path / kind).mkdir()
    zephyr = _export(tmp_path / "zephyr", "zephyr", engine)
    west = yaml.safe_load((zephyr.folder / "west.yml").read_text())["manifest"]
    names = west["projects"][0]["import"]["name-allowlist"]
    assert ("tflite-micro" in names) == (engine == "tflm") == ("group-filter" in west)
    idf = _export(tmp_path / "esp-idf", "esp-idf", engine)
    text = next(idf.folder.glob("components/*/idf_component.yml")).read_text()
    component = yaml.safe_load(text)
    assert ("espressif/esp-tflite-micro" in component["dependencies"]) == (engine == "tflm")
    settings = (zephyr.folder / "prj.conf").read_text().splitlines()
    values = dict(line.split("=") for line in settings if line and not line.startswith("#"))
    assert all(name.startswith("CONFIG_") for name in values)
    assert ("CONFIG_TENSORFLOW_LITE_MICRO" in values) == (engine == "tflm")


def test_another_build_system_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='project "meson" not found; allowed: arduino'):
        _export(tmp_path, "meson")
    assert not (tmp_path / "project").exists()


def test_the_command_says_where_it_stands_how_to_build(tmp_path: Path) -> None:
    out = tmp_path / "lib"
    command = [sys.executable, "-m", "edgeasr", "export", "digits", "--board", "host"]
    said = subprocess.run(
        [*command, "--project", "arduino", "--out", out], check=True, capture_output=True, text=True
    )
    assert f"next: {out / 'README.md'} says how to build it" in said.stdout.replace("\n", " ")
    assert "arduino-cli compile" in (out / "README.md").read_text()
