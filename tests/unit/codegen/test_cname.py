"""Names and literals: whatever text comes in, what comes out is C and means the same."""

import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr import hostlib
from edgeasr.codegen import cname

NASTY = [
    'say "yes"',
    "line\nbreak",
    "*/ int x; /*",
    "où ça",
    "日本語",
    "a\\b",
    "??/",
    "???)",
    "%s%n",
    "tab\there",
    "nul\0inside",
    "\x7f",
    "0" * 300,
    "trailing\\",
    "/* open",
    "a\\",
    "12 34",
]


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_identifier_is_an_identifier(text: str) -> None:
    name = cname.identifier(text)

    assert name.isascii() and name.isidentifier()
    assert name not in ("int", "for", "return")


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_comment_cannot_end_its_comment(text: str) -> None:
    comment = cname.comment(text)

    assert "*/" not in comment and "/*" not in comment and "\n" not in comment
    assert comment.isascii() and not comment.endswith("\\")


def _program(tmp_path, body: str) -> bytes:
    source = tmp_path / "literals.c"
    source.write_text(f"#include <stdio.h>\n#include <stdint.h>\nint main(void) {{\n{body}\n}}\n")
    binary = tmp_path / "literals"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-trigraphs"]
    subprocess.run([*hostlib.compiler(), *flags, source, "-o", binary], check=True)
    return subprocess.run([binary], check=True, capture_output=True).stdout


def test_string_means_the_same_in_c(tmp_path) -> None:
    texts = [t for t in NASTY if "\0" not in t]
    body = "\n".join(f"/* {cname.comment(t)} */ puts({cname.string(t)});" for t in texts)

    printed = _program(tmp_path, body)

    assert printed == b"".join(t.encode() + b"\n" for t in texts)


def test_numbers_mean_the_same_in_c(tmp_path) -> None:
    integers = [0, -1, 2**31 - 1, -(2**31), 2**31, 2**32 - 1]
    integers += [2**32, -(2**31) - 1, 2**63 - 1, -(2**63)]
    reals = np.float32([0.0, 0.1, -1.5e-38, 3.4e38, 1e-45, 0.0078125])
    body = "".join(f'printf("%lld\\n", (long long){cname.integer(i)});' for i in integers)
    body += "".join(f'printf("%a\\n", (double){cname.real(r)});' for r in reals)

    lines = _program(tmp_path, body).decode().split()

    assert [int(x) for x in lines[: len(integers)]] == integers
    assert [float.fromhex(x) for x in lines[len(integers) :]] == [float(r) for r in reals]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_integers_beyond_64_bits_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        cname.integer(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_reals_without_a_literal_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no C literal"):
        cname.real(value)


def test_initializer_keeps_order_and_width() -> None:
    text = cname.initializer(np.arange(-50, 50, dtype=np.int8))

    assert [int(n) for n in text.replace(",", " ").split()] == list(range(-50, 50))
    assert max(len(line) for line in text.splitlines()) <= 100
