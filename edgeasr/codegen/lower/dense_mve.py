"""FULLY_CONNECTED on int8 for cores with MVE: the convolution of 1 x 1 that it is."""

from typing import TYPE_CHECKING

from edgeasr.codegen.call import KernelCall
from edgeasr.codegen.lower.conv_mve import products

if TYPE_CHECKING:
    from edgeasr.codegen.lower.dense import Dense

_STILL = ("stride_h", "stride_w", "dilation_h", "dilation_w")


def dense_mve(layer: "Dense") -> KernelCall | None:
    """Return the call for a layer, or None where it takes another kernel."""
    if layer.params["filter_offset"]:
        return None
    ranges = ("input_offset", "output_offset", "output_min", "output_max")
    params = {
        **{name: layer.params[name] for name in ranges},
        **dict.fromkeys(_STILL, 1),
        "pad_h": 0,
        "pad_w": 0,
        "depth_multiplier": 1,
    }
    values = layer.values[:, None, None, :]
    return products(
        layer.view, layer.input, layer.output, layer.bias, values, layer.factors, params
    )
