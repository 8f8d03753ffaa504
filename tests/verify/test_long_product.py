"""The product of 64 bits that Armv6-M makes of four of 32: it is right, and nothing overflows."""

import subprocess
from pathlib import Path

import pytest

from edgeasr import paths
from tests.conftest import need

_PROGRAM = """
#include <stdio.h>
#include "ear_requantize.h"

static const int32_t edges[] = {
    0, 1, -1, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x10001, -0x8000, -0x8001, -0xFFFF, -0x10000,
    -0x10001, 0x40000000, INT32_MAX - 1, INT32_MAX, INT32_MIN, INT32_MIN + 1,
};
#define EDGES (int)(sizeof edges / sizeof edges[0])

static int differs(int32_t a, int32_t b) {
    if (ear_long_product(a, b) == (int64_t)a * b) {
        return 0;
    }
    printf("%d * %d\\n", a, b);
    return 1;
}

int main(void) {
    uint32_t random = 1;
    for (int i = 0; i < EDGES; i++) {
        for (int k = 0; k < EDGES; k++) {
            if (differs(edges[i], edges[k])) {
                return 1;
            }
        }
        for (int k = 0; k < 100000; k++) {
            random = random * 1664525u + 1013904223u;
            const int32_t a = (int32_t)(random ^ random << 13);
            random = random * 1664525u + 1013904223u;
            if (differs(a, (int32_t)(random ^ random << 13)) || differs(a, edges[i])) {
                return 1;
            }
        }
    }
    puts("equal");
    return 0;
}
"""


@pytest.mark.parametrize("flags", [["-D__ARM_ARCH_6M__"], []], ids=["armv6-m", "others"])
def test_every_product_is_right(flags: list[str], tmp_path: Path) -> None:
    need("gcc")
    (tmp_path / "main.c").write_text(_PROGRAM)
    built = tmp_path / "main"
    command = ["gcc", "-std=c11", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run(
        [*command, *flags, f"-I{paths.runtime()}", tmp_path / "main.c", "-o", built], check=True
    )
    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "equal\n", "")
