"""DEPTHWISE_CONV_2D on int8 for cores with the DSP extension."""

from dataclasses import replace

import numpy as np

from edgeasr.codegen.lower.convolution import Convolution


def as_convolution(layer: Convolution) -> Convolution:
    """Return a depthwise layer of one input channel as the CONV_2D that it is; else itself.

    All its output channels read the same channel, so that what lies under the filter can be
    gathered once for all of them. The weights of an output channel come to lie together.
    """
    if not layer.depthwise or layer.input.shape[3] != 1:
        return layer
    values = np.ascontiguousarray(layer.values.transpose(3, 1, 2, 0))
    turned = replace(layer.filter, shape=values.shape, data=values)
    return replace(layer, depthwise=False, filter=turned, values=values)
