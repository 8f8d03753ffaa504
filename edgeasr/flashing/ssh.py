"""ssh and rsync: a Linux board's program as a service of systemd, that starts with the board.

The service listens on the board's own address 127.0.0.1, and is reached through ssh, which says who
may and keeps others from listening.
"""

import shlex
from pathlib import Path, PurePosixPath

from edgeasr import __version__
from edgeasr.codegen.environment import render
from edgeasr.flashing.way import Job, Plan, Step

PROGRAMS = ("ssh", "rsync")
OPTIONS = {"user": str, "folder": str, "service": str}
OPTIONAL = {"listen": int}

_HOST = "raspberrypi.local"  # of Raspberry Pi OS, by mDNS
_LISTEN = 7171

_CURES = (
    (
        r"could not resolve hostname",
        "no computer of that name is known; give --host USER@ADDRESS",
    ),
    (
        r"permission denied \(|permission denied, please",
        "the board lets nobody in by that name; ssh-copy-id HOST puts your key there",
    ),
    (
        r"connection refused|no route to host|connection timed out|network is unreachable",
        "the board does not answer; is it on, in this network, and ssh enabled "
        "(sudo raspi-config, Interface Options)?",
    ),
    (
        r"host key verification failed",
        "its key is not known, or another; say ssh HOST once, and look",
    ),
    (
        r"sudo: a (password|terminal) is required",
        "sudo asks for a password there; log in, and see visudo",
    ),
    (
        r"rsync: command not found|rsync: not found",
        "the board has no rsync: sudo apt-get install rsync",
    ),
    (r"FAILED|did NOT match", "the file there is not the program; flash it again"),
    (r"no space left", "the board's card is full"),
    (r"connection (reset|closed)|broken pipe", "the connection broke; flash it again"),
)


def host_of(job: Job) -> str:
    """Return USER@ADDRESS of the board."""
    host = job.host or _HOST
    return host if "@" in host else f"{job.options['user']}@{host}"


def plan(job: Job) -> Plan:
    """Return the commands: copy, compare, install, start; writes the unit into the build folder."""
    host, service = host_of(job), str(job.options["service"])
    user = host.split("@")[0]
    folder = PurePosixPath("/home", user, str(job.options["folder"]))
    name = job.program.name
    listen = f"127.0.0.1:{job.options.get('listen', _LISTEN)}"
    unit = job.program.with_name(f"{service}.service")
    _write_unit(job, unit, user, folder, listen)
    sums = job.program.with_name(f"{name}.sha256")
    digest = f"cd {shlex.quote(str(job.program.parent))} && sha256sum {shlex.quote(name)}"
    to = shlex.quote(str(folder))
    installed = f"/etc/systemd/system/{unit.name}"
    return Plan(
        steps=(
            Step("takes the file's sum", ("sh", "-c", f"{digest} > {shlex.quote(sums.name)}")),
            Step("makes the folder", ("ssh", host, f"mkdir -p {to}")),
            Step(
                "copies",
                (
                    "rsync",
                    "--times",
                    "--perms",
                    *map(str, (job.program, sums, unit)),
                    f"{host}:{to}/",
                ),
            ),
            Step(
                "verifies", ("ssh", host, f"cd {to} && sha256sum --check {shlex.quote(sums.name)}")
            ),
            Step(
                "installs the service and starts it",
                (
                    "ssh",
                    host,
                    f"sudo install -m 644 {to}/{unit.name} {installed} && "
                    f"sudo systemctl daemon-reload && sudo systemctl enable {unit.name} && "
                    f"sudo systemctl restart {unit.name}",
                ),
                writes=True,
            ),
        ),
        cures=_CURES,
        rescue="a copy is whole or not there at all: the program before runs until it is replaced",
        line=f"exec:ssh -W {listen} {host}",
        notes=(f"the service: {unit}",),
    )


def removal(job: Job) -> Plan:
    """Return the commands that take the service and its folder away again."""
    host, service = host_of(job), f"{job.options['service']}.service"
    folder = PurePosixPath("/home", host.split("@")[0], str(job.options["folder"]))
    stop = f"sudo systemctl disable --now {service}"
    forget = f"sudo rm -f /etc/systemd/system/{service} && sudo systemctl daemon-reload"
    return Plan(
        steps=(
            Step("stops the service and removes it", ("ssh", host, f"{stop} && {forget}")),
            Step("removes its folder", ("ssh", host, f"rm -rf {shlex.quote(str(folder))}")),
        ),
        cures=(
            (
                r"unit [^\n]* (does not exist|not loaded)",
                "the service is not there; nothing to remove",
            ),
            *_CURES,
        ),
        rescue="",
    )


def _write_unit(job: Job, unit: Path, user: str, folder: PurePosixPath, listen: str) -> None:
    context = {
        "generator": f"edgeasr {__version__}",
        "model_name": job.project.manifest.model_name,
        "board": job.board.name,
        "user": user,
        "program": str(folder / job.program.name),
        "listen": listen,
    }
    unit.parent.mkdir(exist_ok=True)
    unit.write_text(render("project/service.j2", context))
