"""Nothing here can be tried without the packages of the extras train and onnx."""

import pytest

pytest.importorskip("keras", reason="package keras is missing")
pytest.importorskip("onnx", reason="package onnx is missing")
