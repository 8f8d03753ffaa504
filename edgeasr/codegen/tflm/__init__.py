"""The engine `tflm`: TFLite-Micro's interpreter, with exactly the operators that a model uses."""

from edgeasr.codegen.tflm.model import TflmCode, check, generate

__all__ = ["TflmCode", "check", "generate"]
