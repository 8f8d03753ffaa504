"""How a convolution's window lies on its input, as CMSIS-NN chooses its kernels by it."""

from dataclasses import dataclass

from edgeasr.codegen.tflm_arena.kernels import Node


@dataclass(frozen=True)
class Window:
    """height, width: of the filter. channels: of the input; filter_channels: of one filter.

    input_height, input_width, output_width: of the tensors. stride, dilation, padding (before the
    first row and column): (height, width).
    """

    height: int
    width: int
    channels: int
    filter_channels: int
    input_height: int
    input_width: int
    output_width: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]

    @classmethod
    def of(cls, node: Node, filter_size: tuple[int, int], filter_channels: int) -> "Window":
        _, input_height, input_width, channels = node.inputs[0].shape
        output_height, output_width = node.outputs[0].shape[1:3]
        stride = node.option("stride_h"), node.option("stride_w")
        dilation = node.option("dilation_h_factor"), node.option("dilation_w_factor")
        sizes = (
            (output_height, stride[0], dilation[0], filter_size[0], input_height),
            (output_width, stride[1], dilation[1], filter_size[1], input_width),
        )
        padding = tuple(
            max((out - 1) * step + (taps - 1) * gap + 1 - length, 0) // 2
            for out, step, gap, taps, length in sizes
        )
        return cls(
            *filter_size, channels, filter_channels, input_height, input_width, output_width,
            stride, dilation, padding,
        )  # fmt: skip

    @property
    def dilated(self) -> bool:
        return self.dilation != (1, 1)

    @property
    def pointwise(self) -> bool:
        """True for a window of one value (arm_nn_is_convolve_1x1)."""
        return (
            self.padding == (0, 0)
            and (self.height, self.width) == (1, 1)
            and not self.dilated
            and self.channels == self.filter_channels
        )

    @property
    def flat(self) -> bool:
        """True for a window along one row of input (arm_nn_is_convolve_1_x_n)."""
        return (
            self.input_height == 1
            and self.dilation[1] == 1
            and self.height == 1
            and self.stride[1] * self.channels % 4 == 0
            and self.channels == self.filter_channels
        )

    def flat_bytes(self) -> int:
        """Return scratch of arm_convolve_1_x_n_s8 on MVE, 0 where that kernel cannot run.

        As its source has it: the columns at the left and right that reach into the padding.
        """
        step, pad = self.stride[1], self.padding[1]
        odd = _remainder((self.output_width - 1) * step + self.width - self.input_width, 2)
        right = max(1, (pad + odd + step - 1) // step) if pad + odd else 0
        left = max(1, (pad + step - 1) // step) if pad else 0
        if right + left + max(self.output_width - right - left, 0) != self.output_width:
            return 0
        patch = self.width * self.channels
        before = pad * self.channels
        after = right * self.channels if odd else before
        return max(patch + before, patch - self.channels + after)


def _remainder(value: int, divisor: int) -> int:
    """C's remainder: of the dividend's sign."""
    return abs(value) % divisor * (1 if value >= 0 else -1)
