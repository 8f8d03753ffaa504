"""Front ends: sound to int16 features, computed on the host by the device's own C.

FrontEnd       which features, with all parameters; to_dict, from_dict
compute        a clip of PCM to features
Stream         the same, piece by piece
"""

from edgeasr.features.front_end import FrontEnd
from edgeasr.features.native import Stream, compute

__all__ = ["FrontEnd", "Stream", "compute"]
