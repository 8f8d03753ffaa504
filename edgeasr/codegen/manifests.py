"""A firmware project for another build system: Arduino, PlatformIO, Zephyr or ESP-IDF.

The files of a CMake project are laid out as that ecosystem wants a library: model, runtime,
recogniser and session in one flat source folder, with a port on its serial API, a program that
calls them, and the manifests that name what it depends on.
Sources: Arduino library specification 1.5 rev. 2.2; PlatformIO's library.json and platformio.ini;
Zephyr's application development guide and west manifests; ESP-IDF's build system guide and
idf_component.yml.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from edgeasr import paths
from edgeasr.codegen.environment import render
from edgeasr.codegen.tflm_arena import Target
from edgeasr.errors import InputError, alternatives
from edgeasr.project import CMAKE

BAUD = 921_600
# Enough for the largest frame of the protocol, four times.
RX_BYTES = 2560

Files = Mapping[str, str | bytes]

_ARDUINO_TFLM = "https://github.com/tensorflow/tflite-micro-arduino-examples.git"
# What bare metal needs of C++, and the main loop and the board of a CMake project: theirs.
_LEFT_OUT = {"ear_tflm_bare.cpp", "board_config.h", "main.c"}


@dataclass(frozen=True)
class Kind:
    """A build system. port: its implementation of port.h. ticks_hz: C expression of its clock.

    dependency: where TFLite-Micro comes from there. note: what a user must know.
    """

    name: str
    title: str
    port: str
    ticks_hz: str
    dependency: str
    note: str


_ARDUINO_NOTE = (
    "On a board whose UART keeps fewer than 2,560 received bytes and whose line is no native USB, "
    "bytes can be\nlost while the model runs: choose one with native USB, or an ESP32."
)
_KINDS = (
    Kind(
        "arduino", "Arduino", "ear_port_arduino.cpp", "1000000u",
        f"install the library\n`Arduino_TensorFlowLite` from {_ARDUINO_TFLM}.", _ARDUINO_NOTE,
    ),
    Kind(
        "platformio", "PlatformIO", "ear_port_arduino.cpp", "1000000u",
        f"`lib_deps` takes\n`Arduino_TensorFlowLite` from {_ARDUINO_TFLM}.", _ARDUINO_NOTE,
    ),
    Kind(
        "zephyr", "Zephyr", "ear_port_zephyr.c", "CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC",
        "Zephyr's module\n`tflite-micro` is.",
        "The line is the UART that the devicetree chose as `zephyr,console`.",
    ),
    Kind(
        "esp-idf", "ESP-IDF", "ear_port_esp_idf.c", "1000000u",
        "the component\n`espressif/esp-tflite-micro` is, from the ESP Component Registry.",
        "The line is UART 0; console and log are off.",
    ),
)  # fmt: skip
KINDS = (CMAKE, *(kind.name for kind in _KINDS))


def check(kind: str) -> None:
    """Raise InputError for a kind of project that there is not."""
    if kind not in KINDS:
        raise InputError(f'project "{kind}" not found; {alternatives(kind, KINDS)}')


def library_build(kind: str, target: Target) -> Target:
    """Return how the ecosystem's own TFLite-Micro is compiled for the core of `target`.

    Arduino's port cannot define TF_LITE_STATIC_MEMORY; enums are taken as large as they may be.
    """
    if kind == CMAKE:
        return target
    abi = replace(target.abi, enum_bytes=4)
    return replace(target, abi=abi, static_memory=kind not in ("arduino", "platformio"))


@dataclass(frozen=True)
class Context:
    """What manifests say of a project.

    project: as of the project templates (name, generator, model_name, model_hash, model_file,
    engine). board: name, title and core of the board that the model was checked against.
    """

    project: Mapping[str, object]
    board: Mapping[str, object]
    version: str
    arena_bytes: int


def manifests(kind: str, context: Context, files: Files) -> Files:
    """Return the files of a project of `kind`, by path; `files` are those of its CMake project."""
    check(kind)
    found = next(k for k in _KINDS if k.name == kind)
    values = _values(found, context)
    sources = _library(found, files, values)
    kept = {name: text for name, text in files.items() if _is_kept(name)}
    layout = {
        "arduino": _arduino, "platformio": _platformio, "zephyr": _zephyr, "esp-idf": _esp_idf,
    }[kind]  # fmt: skip
    readme = render("project/manifests/common/README.md.j2", values)
    return {**kept, **layout(sources, values), "README.md": readme}


def _is_kept(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix == ".tflite" or path.parts[0] == "board" or path.suffix == ".json"


def _values(kind: Kind, context: Context) -> dict[str, object]:
    project = context.project
    title = re.sub(r"[^A-Za-z0-9_.-]+", "_", str(project["model_name"])).strip("_.-") or "model"
    return {
        "kind": kind,
        "project": project,
        "baud": BAUD,
        "sketch": kind.name == "arduino",
        "arena_bytes": context.arena_bytes,
        "cmsis_nn": str(context.board["core"]).startswith("cortex-m"),
        "board": {
            **context.board,
            "constants": [
                ("EAR_PORT_TICKS_HZ", kind.ticks_hz, "rate of ear_port_ticks()"),
                ("EAR_PORT_RX_BYTES", f"{RX_BYTES}u", "received bytes kept until they are read"),
                ("EAR_PORT_MICROPHONE", "0u", "1 where the port reads a microphone, else 0"),
                ("EAR_PORT_BAUD", f"{BAUD}u", "of the serial line, where it has a rate"),
            ],
        },
        "library": {
            "name": f"EdgeASR_{title}"[:63],
            "folder": f"ear_{project['name']}",
            "version": context.version,
            "author": "edgeasr",
            "url": "",
            "sentence": f"Hears what the model {title} was trained for.",
            "paragraph": f"Model, front end, decision and protocol, by {project['generator']}.",
            "depends": "Arduino_TensorFlowLite" if project["engine"] == "tflm" else "",
            "git": _ARDUINO_TFLM,
        },
    }  # fmt: skip


def _library(kind: Kind, files: Files, values: Mapping[str, object]) -> dict[str, str | bytes]:
    """Return the sources and headers of the library, by name: one flat folder."""
    found: dict[str, str | bytes] = {}
    for name, text in files.items():
        path = PurePosixPath(name)
        ours = path.parts[0] in ("model", "runtime", "src") or name == "port/port.h"
        if ours and path.suffix in (".c", ".cpp", ".h") and path.name not in _LEFT_OUT:
            assert path.name not in found, f"two files are named {path.name}"
            found[path.name] = text
    for name in ("ear_app.c", "ear_app.h"):
        found[name] = render(f"project/manifests/common/{name}.j2", values)
    found["board_config.h"] = render("project/board_config.h.j2", values)
    found[kind.port] = _static(kind.name, kind.port)
    return found


def _static(kind: str, name: str) -> str:
    folder = {"platformio": "arduino", "esp-idf": "esp_idf"}.get(kind, kind)
    template = paths.firmware_templates() / "project" / "manifests" / folder / name
    return template.read_text(encoding="utf-8")


def _under(folder: str, files: Files) -> dict[str, str | bytes]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def _sources(files: Files) -> list[str]:
    return sorted(f"src/{name}" for name in files if name.endswith((".c", ".cpp")))


def _render(name: str, values: Mapping[str, object], **more: object) -> str:
    return render(f"project/manifests/{name}.j2", {**values, **more})


def _arduino(library: Files, values: Mapping[str, object]) -> Files:
    return {
        **_under("src", library),
        "library.properties": _render("arduino/library.properties", values),
        "examples/Listen/Listen.ino": _render("arduino/main.cpp", values),
    }


def _platformio(library: Files, values: Mapping[str, object]) -> Files:
    folder = f"lib/{values['library']['folder']}"
    return {
        **_under(f"{folder}/src", library),
        f"{folder}/library.json": _render("platformio/library.json", values),
        "platformio.ini": _render("platformio/platformio.ini", values),
        "src/main.cpp": _render("arduino/main.cpp", values),
    }


def _zephyr(library: Files, values: Mapping[str, object]) -> Files:
    sources = {**library, "main.c": _static("zephyr", "main.c")}
    return {
        **_under("src", sources),
        "CMakeLists.txt": _render("zephyr/CMakeLists.txt", values, sources=_sources(sources)),
        "prj.conf": _render("zephyr/prj.conf", values),
        "west.yml": _render("zephyr/west.yml", values),
    }


def _esp_idf(library: Files, values: Mapping[str, object]) -> Files:
    folder = f"components/{values['library']['folder']}"
    build = _render("esp_idf/component_CMakeLists.txt", values, sources=_sources(library))
    return {
        **_under(f"{folder}/src", library),
        f"{folder}/CMakeLists.txt": build,
        f"{folder}/idf_component.yml": _render("esp_idf/idf_component.yml", values),
        "CMakeLists.txt": _render("esp_idf/CMakeLists.txt", values),
        "main/CMakeLists.txt": _render("esp_idf/main_CMakeLists.txt", values),
        "main/main.c": _static("esp-idf", "main.c"),
        "sdkconfig.defaults": _render("esp_idf/sdkconfig.defaults", values),
    }
