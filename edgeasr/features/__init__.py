"""Front ends: sound to int16 features, computed on the host by the device's own C.

FrontEnd               which features, with all parameters; to_dict, from_dict
compute                a clip of PCM to features
Stream                 the same, piece by piece
Quantization           features to a model's input: FeatureQuantization to int8,
                       UnsignedFeatureQuantization to uint8, WideFeatureQuantization to int16,
                       FeatureScaling to float32; feature_quantization derives one
quantize               its arithmetic
c_context, c_sources   what the firmware of a front end is generated and built from
"""

from edgeasr.features.context import c_context
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.native import Stream, compute
from edgeasr.features.quantization import (
    DTYPES,
    FeatureQuantization,
    FeatureScaling,
    Quantization,
    UnsignedFeatureQuantization,
    WideFeatureQuantization,
    feature_quantization,
    quantize,
)
from edgeasr.features.specification import c_sources

__all__ = [
    "DTYPES",
    "FeatureQuantization",
    "FeatureScaling",
    "FrontEnd",
    "Quantization",
    "Stream",
    "UnsignedFeatureQuantization",
    "WideFeatureQuantization",
    "c_context",
    "c_sources",
    "compute",
    "feature_quantization",
    "quantize",
]
