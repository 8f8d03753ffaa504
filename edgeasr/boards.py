"""Board files become validated facts; a key that is unknown, missing or of a wrong type is refused.

A board file is TOML and holds hardware facts with their sources, nothing else. It names its port
(a folder of firmware_templates/port, whose port.toml says which constants the port needs), its
runner and its compiler by strings. boards/README.md explains each key.
"""

import dataclasses
import functools
import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from edgeasr import paths
from edgeasr.errors import InputError, alternatives
from edgeasr.units import format_bytes

_ADDRESSES = 1 << 32
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_PORT_FILES = (".c", ".h", ".S", ".cmake")


@dataclass(frozen=True)
class Region:
    """Memory that the linker may fill: `[origin, origin + bytes)`."""

    name: str
    origin: int
    bytes: int

    @property
    def end(self) -> int:
        return self.origin + self.bytes


@dataclass(frozen=True)
class Compiler:
    """A GCC and its flags. `prefix` stands before gcc; `system` is CMake's CMAKE_SYSTEM_NAME."""

    prefix: str
    system: str
    processor: str
    c_flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        return f"{self.prefix}gcc"


@dataclass(frozen=True)
class Port:
    """A folder of port C: its title, whether an operating system is below it, what it must know.

    parts: other folders of `port` whose files it needs too. constants, microphones: what a board
    must tell, and what it must tell of each kind of microphone that it has, with the meaning.
    """

    name: str
    title: str
    hosted: bool
    parts: tuple[str, ...]
    constants: Mapping[str, str]
    microphones: Mapping[str, Mapping[str, str]]

    @property
    def files(self) -> Mapping[str, Path]:
        """The port's files for a project by name, sorted, with those of its parts."""
        folders = (_ports() / name for name in (self.name, *self.parts))
        found = (f for folder in folders for f in folder.iterdir() if f.suffix in _PORT_FILES)
        return {file.name: file for file in sorted(found, key=lambda f: f.name)}


@dataclass(frozen=True)
class Microphone:
    """A microphone that the port reads: its kind, such as pdm, and what the port must know."""

    kind: str
    constants: Mapping[str, int]


@dataclass(frozen=True)
class Line:
    """How a real board's serial line shows on a computer.

    usb: "vvvv:pppp" of USB devices that are, or carry, the line; empty where any adapter may.
    """

    baud: int
    usb: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """What is known of a board. `name` is the stem of its file.

    ticks_hz: rate of ear_port_ticks(). rx_bytes: received bytes that the port keeps unread.
    stack_bytes: stack of a bare-metal program, else 0; TFLite-Micro's gets more. constants: what
    the port needs to know. microphone: None where there is none.
    runner: what simulates the board; None where nothing does. runner_options: the rest of the
    [runner] table, which that runner checks. simulated: there is nothing but the simulation, or it
    is the usual way. line: of a real board. flash: ways to write the firmware to it, the best
    first, each with its options, which that way checks. file: where the facts are from; None for a
    board that was parsed.
    """

    name: str
    title: str
    core: str
    simulated: bool
    port: Port
    compiler: Compiler
    ticks_hz: int
    rx_bytes: int
    stack_bytes: int
    memory: Mapping[str, Region]
    constants: Mapping[str, int]
    microphone: Microphone | None
    line: Line | None
    flash: Mapping[str, Mapping[str, object]]
    runner: str | None
    runner_options: Mapping[str, object]
    sources: tuple[str, ...]
    file: Path | None = None

    @property
    def ram_bytes(self) -> int | None:
        """Bytes of the memory for data; None where an operating system gives it out."""
        return self.memory["data"].bytes if "data" in self.memory else None

    @property
    def flash_bytes(self) -> int | None:
        """Bytes of the memory for code and constants; None as for `ram_bytes`."""
        return self.memory["code"].bytes if "code" in self.memory else None


def names() -> tuple[str, ...]:
    """Return the names of the shipped boards, sorted."""
    return tuple(sorted(file.stem for file in paths.boards().glob("*.toml")))


def load(name_or_path: str | Path) -> Board:
    """Load a shipped board by its name, or any board file by its path (it ends in .toml).

    Raises InputError when there is no such board, or its file is not usable as it is.
    """
    text = str(name_or_path)
    if text.endswith(".toml"):
        file = Path(name_or_path)
        if not file.is_file():
            raise InputError(f"board file {file} not found; {_advice('')}")
    elif text in names():
        file = paths.boards() / f"{text}.toml"
    else:
        raise InputError(f'board "{text}" not found; {_advice(text)}')
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not TOML: {error}") from None
    return dataclasses.replace(parse(file.stem, table, where=str(file)), file=file)


def of_project(folder: Path, name: str) -> Board:
    """Load the board of a firmware project: the file that the project holds, else a shipped one."""
    held = folder / "board" / f"{name}.toml"
    return load(held) if held.is_file() else load(name)


def _advice(text: str) -> str:
    return f"{alternatives(text, names())}; see 'edgeasr boards'"


def parse(name: str, table: Mapping[str, object], *, where: str) -> Board:
    """Make a Board of a table as a board file holds it; `where` begins the text of any error."""
    if not _NAME.fullmatch(name):
        raise InputError(f'{where}: board name "{name}" is not made of a-z, 0-9 and _')
    keys = _Keys(table, where)
    port = port_named(keys.take("port", str), where=where)
    simulated = keys.take("simulated", bool)
    runner = keys.table("runner", None if simulated else {})
    compiler = _compiler(keys.table("compiler"))
    board = Board(
        name=name,
        title=keys.take("title", str),
        core=keys.take("core", str),
        simulated=simulated,
        port=port,
        compiler=compiler,
        ticks_hz=keys.positive("ticks_hz"),
        rx_bytes=keys.positive("rx_bytes"),
        stack_bytes=0 if port.hosted else keys.positive("stack_bytes"),
        memory={} if port.hosted else _memory(keys.table("memory"), where),
        constants=_values(port, port.constants, keys.table("constants", {})),
        microphone=_microphone(port, keys, where),
        line=_line(keys),
        flash=_flash(keys.table("flash", {})),
        runner=runner.take("name", str) if simulated or runner.left else None,
        runner_options=runner.rest(),
        sources=keys.strings("sources"),
    )
    keys.done()
    _check(board, where)
    return board


def _microphone(port: Port, keys: "_Keys", where: str) -> Microphone | None:
    given = keys.table("microphone", {})
    if not given.left:
        return None
    kind = given.take("kind", str)
    if kind not in port.microphones:
        raise InputError(
            f'{where}: microphone.kind is "{kind}"; port "{port.name}" reads '
            f"{alternatives(kind, port.microphones)}"
            if port.microphones
            else f'{where}: microphone.kind is "{kind}"; port "{port.name}" reads no microphone'
        )
    return Microphone(kind, _values(port, port.microphones[kind], given))


def _line(keys: "_Keys") -> Line | None:
    given = keys.table("line", {})
    if not given.left:
        return None
    line = Line(given.positive("baud"), given.strings("usb", ()))
    for device in line.usb:
        if not _USB.fullmatch(device):
            raise InputError(f'{given.where}usb holds "{device}"; it must be like "0483:374b"')
    given.done()
    return line


def _flash(keys: "_Keys") -> Mapping[str, Mapping[str, object]]:
    return MappingProxyType({way: keys.table(way).rest() for way in list(keys.left)})


def _check(board: Board, where: str) -> None:
    if not board.sources:
        raise InputError(f"{where}: sources is empty; say where the facts come from")
    if board.rx_bytes & (board.rx_bytes - 1):
        raise InputError(f"{where}: rx_bytes is {board.rx_bytes}; it must be a power of two")
    data = board.memory.get("data")
    if data and board.stack_bytes + board.rx_bytes > data.bytes:
        raise InputError(
            f"{where}: stack_bytes and rx_bytes take {board.stack_bytes + board.rx_bytes} B, and "
            f"memory.data has {format_bytes(data.bytes)}"
        )


def _compiler(keys: "_Keys") -> Compiler:
    compiler = Compiler(
        prefix=keys.take("prefix", str),
        system=keys.take("system", str),
        processor=keys.take("processor", str),
        c_flags=keys.strings("c_flags", ()),
        link_flags=keys.strings("link_flags", ()),
    )
    keys.done()
    return compiler


def _memory(keys: "_Keys", where: str) -> Mapping[str, Region]:
    regions: dict[str, Region] = {}
    for name in list(keys.left):
        one = keys.table(name)
        region = Region(name, one.take("origin", int), one.positive("bytes"))
        one.done()
        if region.origin < 0 or region.end > _ADDRESSES:
            raise InputError(
                f"{where}: memory.{name} ends at 0x{region.end:x}, beyond 32-bit addresses"
            )
        regions[name] = region
    for needed in ("code", "data"):
        if needed not in regions:
            raise InputError(
                f"{where}: memory.{needed} is missing; a bare-metal board needs the regions code "
                "and data"
            )
    ordered = sorted(regions.values(), key=lambda r: r.origin)
    for low, high in itertools.pairwise(ordered):
        if low.end > high.origin:
            raise InputError(
                f"{where}: memory.{low.name} (0x{low.origin:08x} to 0x{low.end:08x}) overlaps "
                f"memory.{high.name}, which begins at 0x{high.origin:08x}"
            )
    return MappingProxyType(regions)


def _values(port: Port, meanings: Mapping[str, str], keys: "_Keys") -> Mapping[str, int]:
    """Take a number for each name that the port needs."""
    for name, meaning in meanings.items():
        if name not in keys.left:
            raise InputError(
                f'{keys.where}{name} is missing; port "{port.name}" needs it: {meaning}'
            )
    values = {name: keys.take(name, int) for name in meanings}
    keys.done()
    for name, value in values.items():
        if not 0 <= value < _ADDRESSES:
            raise InputError(f"{keys.where}{name} is {value}; it must fit 32 bits unsigned")
    return MappingProxyType(values)


def port_names() -> tuple[str, ...]:
    """Return the names of the ports, sorted."""
    return tuple(sorted(f.parent.name for f in _ports().glob("*/port.toml")))


def port_named(name: str, *, where: str) -> Port:
    """Load a port's facts; raises InputError when there is no such port."""
    if name not in port_names():
        raise InputError(f'{where}: port "{name}" not found; {alternatives(name, port_names())}')
    return _load_port(name)


@functools.cache
def _load_port(name: str) -> Port:
    file = _ports() / name / "port.toml"
    keys = _Keys(tomllib.loads(file.read_text(encoding="utf-8")), str(file))
    microphones = keys.table("microphone", {})
    port = Port(
        name=name,
        title=keys.take("title", str),
        hosted=keys.take("hosted", bool),
        parts=keys.strings("parts", ()),
        constants=_meanings(keys.table("constants", {})),
        microphones={kind: _meanings(microphones.table(kind)) for kind in list(microphones.left)},
    )
    keys.done()
    return port


def _meanings(keys: "_Keys") -> Mapping[str, str]:
    return {name: keys.take(name, str) for name in list(keys.left)}


def _ports() -> Path:
    return paths.firmware_templates() / "port"


class _Keys:
    """A TOML table whose keys are taken one by one, each of a type; what is left is an error."""

    def __init__(self, table: Mapping[str, object], file: str, path: str = "") -> None:
        self.left = dict(table)
        self.known: list[str] = []
        self.where = f"{file}: {path}"
        self._file, self._path = file, path

    def take(self, key: str, kind: type, default: object = None):
        self.known.append(key)
        if key not in self.left:
            if default is None:
                raise InputError(f"{self.where}{key} is missing")
            return default
        value = self.left.pop(key)
        if type(value) is not kind:
            raise InputError(f"{self.where}{key} is {value!r}; it must be {_KINDS[kind]}")
        return value

    def positive(self, key: str) -> int:
        value = self.take(key, int)
        if value <= 0:
            raise InputError(f"{self.where}{key} is {value}; it must be above 0")
        return value

    def strings(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self.take(key, list, default)
        for value in values:
            if type(value) is not str:
                raise InputError(f"{self.where}{key} holds {value!r}; it must hold texts only")
        return tuple(values)

    def table(self, key: str, default: Mapping[str, object] | None = None) -> "_Keys":
        return _Keys(self.take(key, dict, default), self._file, f"{self._path}{key}.")

    def rest(self) -> Mapping[str, object]:
        rest, self.left = self.left, {}
        return MappingProxyType(rest)

    def done(self) -> None:
        for key in self.left:
            raise InputError(f"{self.where}{key} is unknown; {alternatives(key, self.known)}")


_KINDS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def check_options(
    options: Mapping[str, object],
    expected: Mapping[str, type],
    where: str,
    who: str,
    optional: Mapping[str, type] = MappingProxyType({}),
) -> Mapping[str, object]:
    """Return a table's options once all that are expected are there, of their types, and no other.

    where: begins the text of an error. who: needs them. optional: may be there, too.
    """
    for key in expected:
        if key not in options:
            raise InputError(f"{where}.{key} is missing; {who} needs it")
    known = {**expected, **optional}
    for key, value in options.items():
        if key not in known:
            raise InputError(f"{where}.{key} is unknown; {alternatives(key, known)}")
        if type(value) is not known[key]:
            raise InputError(f"{where}.{key} is {value!r}; it must be {_KINDS[known[key]]}")
    return options


def literal(name: str, value: int) -> str:
    """Return a constant as C has it: addresses, whose names end in _base, in hexadecimal."""
    return f"0x{value:08x}u" if name.endswith("_base") else f"{value}u"


def c_context(board: Board) -> dict[str, object]:
    """Return what the project templates know of a board, under the name `board`.

    constants: (macro, value, why) of board_config.h. regions: (name, origin, bytes) of the linker
    script, empty for a hosted board. port_files: the port's own file names, without port.h.
    """
    constants = [
        ("EAR_PORT_TICKS_HZ", f"{board.ticks_hz}u", "rate of ear_port_ticks()"),
        ("EAR_PORT_RX_BYTES", f"{board.rx_bytes}u", "received bytes kept until they are read"),
    ]
    for name, meaning in board.port.constants.items():
        constants.append(
            (f"EAR_PORT_{name.upper()}", literal(name, board.constants[name]), meaning)
        )
    listens = f"{int(board.microphone is not None)}u"
    constants.append(("EAR_PORT_MICROPHONE", listens, "1 where the board has a microphone, else 0"))
    for kind, meanings in board.port.microphones.items():
        has = board.microphone is not None and board.microphone.kind == kind
        macro = f"EAR_PORT_MICROPHONE_{kind.upper()}"
        constants.append((macro, f"{int(has)}u", f"1 where the board has a microphone, {kind}"))
        for name, meaning in meanings.items() if has else ():
            value = literal(name, board.microphone.constants[name])
            constants.append((f"{macro}_{name.upper()}", value, meaning))
    return {
        "name": board.name,
        "title": board.title,
        "core": board.core,
        "hosted": board.port.hosted,
        "port": board.port.name,
        "port_files": tuple(board.port.files),
        "compiler_prefix": board.compiler.prefix,
        "compiler": board.compiler.program,
        "system": board.compiler.system,
        "processor": board.compiler.processor,
        "c_flags": board.compiler.c_flags,
        "link_flags": board.compiler.link_flags,
        "constants": constants,
        "rx_bytes": board.rx_bytes,
        "stack_bytes": board.stack_bytes,
        "regions": [(r.name, f"0x{r.origin:08x}", r.bytes) for r in board.memory.values()],
        "microphone": board.microphone.kind if board.microphone else None,
        "runner": board.runner,
        "runner_options": dict(board.runner_options),
    }
