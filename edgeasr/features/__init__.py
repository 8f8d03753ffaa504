"""Front ends: sound to int16 features, computed on the host by the device's own C.

FrontEnd               which features, with all parameters; to_dict, from_dict
compute                a clip of PCM to features
Stream                 the same, piece by piece
FeatureQuantization    features to a model's int8 input; feature_quantization derives one
quantize               its arithmetic
c_context, c_sources   what the firmware of a front end is generated and built from
"""

from edgeasr.features.context import c_context
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.native import Stream, compute
from edgeasr.features.quantization import FeatureQuantization, feature_quantization, quantize
from edgeasr.features.specification import c_sources

__all__ = [
    "FeatureQuantization",
    "FrontEnd",
    "Stream",
    "c_context",
    "c_sources",
    "compute",
    "feature_quantization",
    "quantize",
]
