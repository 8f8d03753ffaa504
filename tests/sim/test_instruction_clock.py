"""The clock of a program under qemu-aarch64 counts its instructions, exactly and repeatably."""

import subprocess
from pathlib import Path

from edgeasr.runners import instruction_clock
from tests.conftest import need

_PROGRAM = """
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <time.h>

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long rounds(long count)
{
    const long long begin = now();
    __asm__ volatile("0: subs %0, %0, #1\\n b.ne 0b" : "+r"(count) : : "cc");
    return now() - begin;
}

int main(void)
{
    (void)rounds(1);
    const long long few = rounds(10);
    printf("%lld %lld\\n", few, rounds(1010) - few);
    return 0;
}
"""


def test_a_loop_takes_its_instructions(tmp_path: Path) -> None:
    need("gcc")
    need("aarch64-linux-gnu-gcc")
    need("qemu-aarch64")
    (tmp_path / "loop.c").write_text(_PROGRAM)
    built = tmp_path / "loop"
    subprocess.run(
        ["aarch64-linux-gnu-gcc", "-O2", str(tmp_path / "loop.c"), "-o", str(built)], check=True
    )
    command = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu",
               "-plugin", f"{instruction_clock.plugin()},ns=1", str(built)]  # fmt: skip

    said = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(2)]

    few, more = map(int, said[0].stdout.split())
    assert more == 2 * 1000
    assert 2 * 10 < few < 2 * 10 + 200
    assert said[0].stdout == said[1].stdout
