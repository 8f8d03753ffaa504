"""Flashing: the commands of each way, what is missing, and what the programs' messages mean."""

import shlex
from pathlib import Path

import pytest

from edgeasr import boards, flashing
from edgeasr.errors import InputError, LinkError, ToolError
from edgeasr.flashing import uf2

OPENOCD = '[flash.openocd]\nconfig = "board/st_nucleo_f4.cfg"\n'
PYOCD = '[flash.pyocd]\ntarget = "nrf52840"\n'
UF2 = '[flash.uf2]\nfamily = 1\ndrive = "RPI-RP2"\nboard_id = "RPI-RP2"\n'
PICOTOOL = "[flash.picotool]\n"
BOSSA = "[flash.bossa]\noffset = 0x10000\ntouch_baud = 1200\n"
SSH = '[flash.ssh]\nuser = "pi"\nfolder = "edgeasr"\nservice = "edgeasr"\n'


def shown(project, **given) -> list[str]:
    return [step.shown for step in flashing.plan(project, dry=True, **given).steps]


def test_openocd_programs_verifies_and_resets(make, programs):
    project = make(OPENOCD)

    (command,) = shown(project)

    elf = project.folder / "build" / "tiny.elf"
    assert shlex.split(command) == [
        "openocd", "-f", "board/st_nucleo_f4.cfg", "-c", f"program {{{elf}}} verify reset exit",
    ]  # fmt: skip
    (chosen,) = shown(project, probe="0669")
    assert "-c 'adapter serial 0669' -c 'program" in chosen


def test_pyocd_reads_back_what_it_wrote(make, programs):
    project = make(PYOCD)
    stem = str(project.folder / "build" / "tiny")

    take, write, verify = (shlex.split(command) for command in shown(project, probe="0669"))

    assert take == ["arm-none-eabi-objcopy", "-O", "binary", f"{stem}.elf", f"{stem}.bin"]
    assert write == [
        "pyocd", "flash", "--no-wait", "--target", "nrf52840", "--uid", "0669", "--no-reset",
        f"{stem}.elf",
    ]  # fmt: skip
    assert verify[:2] == ["pyocd", "commander"]
    assert verify[-4:] == ["--command", f"compare 0x00000000 '{stem}.bin'", "--command", "reset"]


def test_uf2_picotool_and_bossa(make, programs, serial_ports, monkeypatch):
    monkeypatch.setenv("USER", "kim")
    project = make(UF2 + PICOTOOL + BOSSA)
    stem = project.folder / "build" / "tiny"

    assert shlex.split(*shown(project)) == ["cp", f"{stem}.uf2", "/media/kim/RPI-RP2/"]
    assert shlex.split(*shown(project, way="picotool")) == [
        "picotool", "load", "--verify", "--execute", f"{stem}.uf2",
    ]  # fmt: skip
    _, touch, write = (shlex.split(command) for command in shown(project, way="bossa"))
    assert touch == ["stty", "-F", "/dev/ttyACM0", "1200", "hupcl"]
    assert write == [
        "bossac", "--port=ttyACM0", "-U", "-i", "-e", "--offset=0x10000", "-w", "-v",
        f"{stem}.bin", "-R",
    ]  # fmt: skip


def test_ssh_copies_proves_and_starts_a_service(make, programs):
    project = make(SSH, like="host")
    program = project.folder / "build" / "tiny"

    commands = shown(project, host="sam@10.0.0.9")

    assert [shlex.split(command)[0] for command in commands] == ["sh", "ssh", "rsync", "ssh", "ssh"]
    assert "sha256sum --check tiny.sha256" in commands[3]
    assert "systemctl enable edgeasr.service" in commands[4]
    assert all("sam@10.0.0.9" in command for command in commands[1:])
    unit = program.with_name("edgeasr.service").read_text()
    assert "ExecStart=/home/sam/edgeasr/tiny --listen 127.0.0.1:7171\n" in unit
    assert "User=sam\n" in unit
    plan = flashing.plan(project, dry=True)
    assert plan.line == "exec:ssh -W 127.0.0.1:7171 pi@raspberrypi.local"
    stop, forget = shown(project, remove=True)
    assert "systemctl disable --now edgeasr.service" in stop
    assert "rm -rf /home/pi/edgeasr" in forget
    with pytest.raises(InputError, match="--remove is for boards whose program is a service"):
        flashing.plan(make(OPENOCD), dry=True, remove=True)


def test_the_first_way_whose_programs_are_here(make, programs):
    project = make(OPENOCD + PYOCD)
    board = boards.of_project(project.folder, "desk")

    assert flashing.choose(board, dry=True) == "openocd"
    with pytest.raises(ToolError) as told:
        flashing.choose(board)
    assert str(told.value) == (
        "board desk: nothing here can flash it: openocd needs openocd (install: apt-get install "
        "openocd); pyocd needs pyocd (install: pip install pyocd)"
    )
    programs.add("pyocd")
    assert flashing.choose(board) == flashing.choose(board, dry=True) == "pyocd"
    with pytest.raises(ToolError, match="apt-get install openocd"):
        flashing.choose(board, "openocd")
    with pytest.raises(InputError, match="is not flashed with ssh; allowed: openocd, pyocd"):
        flashing.choose(board, "ssh")


def test_boards_that_are_not_flashed(make):
    with pytest.raises(InputError, match="qemu_mps2_an386: is not flashed; 'edgeasr run'"):
        flashing.choose(boards.load("qemu_mps2_an386"))
    with pytest.raises(InputError, match=r"add a table \[flash.WAY\]"):
        flashing.plan(make(""), dry=True)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("[flash.jlink]\n", "flash.jlink: allowed: bossa, openocd, picotool, pyocd, ssh, uf2"),
        ("[flash.openocd]\n", "flash.openocd.config is missing; flashing with openocd needs it"),
        (OPENOCD + "speed = 4\n", "flash.openocd.speed is unknown; allowed: config"),
        (BOSSA.replace("1200", "true"), "flash.bossa.touch_baud is True; it must be a whole"),
    ],
)
def test_options_are_checked(make, programs, tables, said):
    with pytest.raises(InputError, match=said):
        flashing.plan(make(tables), dry=True)


def test_it_must_be_built(make, programs):
    programs.add("openocd")
    with pytest.raises(InputError, match="is not built; run 'edgeasr build"):
        flashing.plan(make(OPENOCD))


def flash(project, **given) -> list[str]:
    said: list[str] = []
    flashing.carry_out(flashing.plan(project, **given), said.append)
    return said


def test_a_probe_is_found_and_the_command_run(make, built, programs, plug):
    programs.add("openocd")
    plug("0483:374b", "A1")
    project = make(OPENOCD)

    said = flash(project)

    (call,) = programs.calls
    assert said == [f"[1/1] writes, verifies and resets: {shlex.join(call)}"]
    assert "adapter serial" not in said[0]


def test_several_probes(make, built, programs, plug):
    programs.add("openocd")
    for serial in ("A1", "B2"):
        plug("0483:374b", serial)
    plug("1366:1015", "J9", "J-Link")  # not what carries this board's line
    project = make(OPENOCD)

    with pytest.raises(InputError) as told:
        flash(project)
    assert str(told.value) == (
        "2 debug probes are here: STM32 STLink (0483:374b, serial A1); STM32 STLink (0483:374b, "
        "serial B2); choose with --probe SERIAL"
    )
    flash(project, ask=lambda what, found, option: 1)
    flash(project, probe="A1")
    assert [call[4] for call in programs.calls] == ["adapter serial B2", "adapter serial A1"]


def test_no_probe_and_no_permission(make, built, programs, plug, monkeypatch):
    programs.add("openocd")
    project = make(OPENOCD)
    with pytest.raises(LinkError, match="no debug probe is on USB; plug the board's probe in"):
        flash(project)
    plug("0d28:0204", "D1", "DAPLink")
    monkeypatch.setattr("edgeasr.flashing.usb.may_use", lambda device: False)
    with pytest.raises(LinkError) as told:
        flash(project)
    assert str(told.value) == (
        'DAPLink (0d28:0204, serial D1): permission denied; cure: echo \'SUBSYSTEM=="usb", '
        'ATTR{idVendor}=="0d28", TAG+="uaccess"\' | sudo tee '
        "/etc/udev/rules.d/70-edgeasr-0d28.rules, then sudo udevadm control --reload, and plug it "
        "in again"
    )


OPENOCD_SAYS = {
    "Error: open failed": "no probe answered; plug the board in",
    "Error: unable to open ftdi device with description '*'": "no probe answered",
    "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS": "this user may not use the probe; cure",
    "Error: libusb_bulk_write error: LIBUSB_ERROR_NO_DEVICE": "the probe went away; plug it in",
    "Error: init mode failed (unable to connect to the target)": "the probe is there, and the chip",
    "Error: Invalid serial number: 0669FF": "no probe has a serial number like that",
    "Error: No J-Link device found": "no probe answered",
    "** Verify Failed **": "what the board's flash holds now is not the program",
    "Can't find board/st_nucleo_f4.cfg": "this OpenOCD has no such config",
    "something new": "stopped in step 1 of 1",
}


@pytest.mark.parametrize("message", OPENOCD_SAYS)
def test_what_openocd_says_gets_its_cure(make, built, programs, plug, message):
    programs.add("openocd", f"print({message!r}, file=sys.stderr); sys.exit(1)")
    plug("0483:374b")
    project = make(OPENOCD)

    with pytest.raises(ToolError) as told:
        flash(project)

    text = str(told.value)
    assert text.startswith(OPENOCD_SAYS[message])
    assert "the board may hold half a program; flash it again: edgeasr flash '" in text
    assert "failed with exit code 1" in text
    assert text.endswith(message)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('No connected debug probes'); sys.exit(1)", "no probe answered; plug"),
        (
            "if sys.argv[1] == 'commander': print('Mismatched byte at 0x00000010 (offset 0x10)')",
            "what the board's flash holds now is not the program",
        ),
        (
            "if sys.argv[1] == 'commander': sys.exit('USBError: [Errno 19] No such device')",
            "the probe went away",
        ),
    ],
)
def test_what_pyocd_says_gets_its_cure(make, built, programs, plug, body, said):
    programs.add("arm-none-eabi-objcopy")
    programs.add("pyocd", body)
    plug("0d28:0204", "D1", "DAPLink")

    with pytest.raises(ToolError, match=said):
        flash(make(PYOCD))


def test_pyocd_that_compares_all_bytes_is_content(make, built, programs, plug):
    programs.add("arm-none-eabi-objcopy")
    programs.add("pyocd", "if sys.argv[1] == 'commander': print('All 64 bytes match.')")
    plug("0d28:0204", "D1", "DAPLink")

    assert len(flash(make(PYOCD))) == 3
    assert [call[:2] for call in programs.calls[1:]] == [["pyocd", "flash"], ["pyocd", "commander"]]


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """Return a function that mounts a UF2 drive; the mount table is a file."""
    table = tmp_path / "mounts"
    table.write_text("proc /proc proc rw 0 0\n")
    monkeypatch.setattr(uf2, "MOUNTS", table)
    monkeypatch.setattr(uf2, "_TAKES_S", 0.3)

    def mount(name: str, board_id: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nBoard-ID: {board_id}\r\n")
        escaped = str(folder).replace(" ", "\\040")
        table.write_text(table.read_text() + f"/dev/sdb1 {escaped} vfat rw 0 0\n")
        return folder

    return mount


def uf2_project(make):
    project = make(UF2)
    (project.folder / "build").mkdir()
    (project.folder / "build" / "tiny.uf2").write_bytes(bytes(512))
    return project


def test_uf2_is_copied_and_the_drive_goes(make, built, programs, drive):
    folder = drive("a drive", "RPI-RP2")
    (programs.folder / "cp").unlink()
    programs.add("cp", "os.unlink(os.path.join(sys.argv[2], 'INFO_UF2.TXT'))")
    project = uf2_project(make)

    flash(project)

    assert programs.calls == [["cp", str(project.folder / "build" / "tiny.uf2"), f"{folder}/"]]


def test_uf2_that_is_not_taken(make, built, programs, drive):
    folder = drive("drive", "RPI-RP2")

    with pytest.raises(LinkError, match=r"is still there 0\.3 s after the copy.*hold BOOTSEL"):
        flash(uf2_project(make))

    assert (folder / "tiny.uf2").stat().st_size == 512


def test_uf2_drives_that_are_not_there(make, built, programs, drive):
    project = uf2_project(make)
    with pytest.raises(LinkError, match="no drive of a RPI-RP2 is mounted; hold BOOTSEL while"):
        flash(project)
    drive("other", "RP2350")
    with pytest.raises(LinkError, match=r"no drive of a RPI-RP2 is here, but RP2350 at .*/other"):
        flash(project)
    for name in ("one", "two"):
        drive(name, "RPI-RP2")
    with pytest.raises(InputError, match=r"2 boards are here: .*/one; .*/two; choose with --probe"):
        flash(project)


def test_a_pico_that_is_not_in_its_boot_loader(make, built, programs, plug):
    programs.add("picotool")
    project = make(PICOTOOL)
    with pytest.raises(LinkError, match=r"no boot loader of a Pico \(2e8a:0003\) is on USB; hold"):
        flash(project)
    for serial in ("E1", "E2"):
        plug("2e8a:0003", serial, "RP2 Boot")
    flash(project, ask=lambda what, found, option: 0)
    assert programs.calls[0][-2:] == ["--ser", "E1"]


def test_the_nano_comes_back_as_another_port(make, built, programs, serial_ports, monkeypatch):
    for name in ("arm-none-eabi-objcopy", "bossac"):
        programs.add(name)
    (programs.folder / "stty").unlink()
    programs.add("stty")
    serial_ports(("/dev/ttyNANO0", "2341:805a", "N0"))
    comes_back = ("/dev/ttyNANO1", "2341:005a", "N0")
    monkeypatch.setattr("edgeasr.flashing.bossa.time.sleep", lambda s: serial_ports(comes_back))

    flash(make(BOSSA))

    _, touch, write = programs.calls
    assert touch == ["stty", "-F", "/dev/ttyNANO0", "1200", "hupcl"]
    assert write[1] == "--port=ttyNANO1"
    flash(make(BOSSA))
    assert [call[0] for call in programs.calls[3:]] == ["arm-none-eabi-objcopy", "bossac"]


def test_the_nano_is_not_there(make, built, programs, serial_ports):
    programs.add("bossac")
    with pytest.raises(LinkError, match=r"its USB port .2341:805a or 2341:005a. is not here"):
        flash(make(BOSSA))


def test_ctrl_c_says_what_state_the_board_is_in(make, built, programs, plug, monkeypatch):
    programs.add("openocd")
    plug("0483:374b")
    plan = flashing.plan(make(OPENOCD))
    said: list[str] = []

    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeasr.process.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        flashing.carry_out(plan, said.append)

    assert said[-1].startswith(
        "stopped in step 1 of 1 (writes, verifies and resets): the board may hold half a program; "
        "flash it again: edgeasr flash '"
    )


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("ssh: Could not resolve hostname raspberrypi.local", "give --host USER@ADDRESS"),
        ("pi@raspberrypi.local: Permission denied (publickey).", "ssh-copy-id HOST"),
        ("ssh: connect to host 10.0.0.9 port 22: No route to host", "the board does not answer"),
        ("tiny: FAILED", "the file there is not the program"),
    ],
)
def test_what_ssh_says_gets_its_cure(make, built, programs, message, said):
    project = make(SSH, like="host")
    (project.folder / "build").mkdir()
    (project.folder / "build" / "tiny").write_bytes(b"program")
    programs.add("rsync")
    programs.add("ssh", f"sys.exit({message!r})")

    with pytest.raises(ToolError, match=said):
        flash(project)
