"""The linker's map says what each part of a firmware takes."""

from pathlib import Path

from edgeasr.toolchain import parts
from edgeasr.toolchain.parts import Part

_MAP = """Discarded input sections

 .text.unused   0x00000000      0x999 CMakeFiles/firmware.dir/runtime/ear_conv2d_s8.c.obj

Linker script and memory map

LOAD CMakeFiles/firmware.dir/model/model.c.obj
.text           0x00000000      0x100
 *(.vectors)
 .vectors       0x00000000       0x80 CMakeFiles/firmware.dir/port/startup.c.obj
 .text.ear_conv2d_s8
                0x00000080       0x40 CMakeFiles/firmware.dir/runtime/ear_conv2d_s8.c.obj
 .text.ear_session_poll
                0x000000c0       0x10 CMakeFiles/firmware.dir/runtime/ear_session.c.obj
 .text.ear_frontend_push
                0x000000d0        0x8 CMakeFiles/firmware.dir/runtime/ear_frontend.c.obj
 *fill*         0x000000d8        0x8
 .rodata.l0_weights
                0x000000e0       0x20 CMakeFiles/firmware.dir/model/model.c.obj
 .text.memcpy   0x00000100        0x4 /usr/lib/libc.a(lib_a-memcpy.o)
 .text.Eval     0x00000104       0x30 /opt/gen/lib/libtensorflow-microlite.a(conv.o)
 .rodata.layer_of_operator
                0x00000134        0x6 CMakeFiles/firmware.dir/model/model.cpp.obj
 .rodata.ear_model_data
                0x00000140       0x50 CMakeFiles/firmware.dir/model/model_data.c.obj

.data           0x20000000        0x4
 .data.seed     0x20000000        0x4 CMakeFiles/firmware.dir/runtime/ear_conv2d_s8.c.obj

.bss            0x20000004      0x200
 .bss.arena     0x20000010      0x100 CMakeFiles/firmware.dir/model/model.c.obj
 COMMON         0x20000110        0x4 CMakeFiles/firmware.dir/runtime/ear_session.c.obj

.debug_info     0x00000000     0x5000
 .debug_info    0x00000000     0x5000 CMakeFiles/firmware.dir/runtime/ear_session.c.obj
"""


def test_each_section_belongs_to_a_part(tmp_path: Path) -> None:
    (tmp_path / "firmware.map").write_text(_MAP)

    found = parts.read(tmp_path / "firmware.map")

    assert found == {
        parts.ENGINE: Part(0x40 + 0x30 + 6 + 4, 4),
        parts.MODEL: Part(0x20 + 0x50, 0),
        parts.ARENA: Part(0, 0x100),
        parts.FRONT_END: Part(8, 0),
        parts.PROTOCOL: Part(0x10, 4),
        parts.BOARD: Part(0x80, 0),
        parts.LIBRARY: Part(4, 0),
    }


def test_without_a_map_nothing_is_said(tmp_path: Path) -> None:
    assert parts.read(tmp_path / "firmware.map") == {}
