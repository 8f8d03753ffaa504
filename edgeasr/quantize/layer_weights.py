"""Kernel and bias of one layer in training: free, on a grid of levels, or frozen there for good.

A kernel goes in and out as [channels, ...] with output channels first, in the order of a `.tflite`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import CheckError, InputError
from edgeasr.quantize import folding, grids
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.schemes import parse, with_one_scale

if TYPE_CHECKING:
    import tensorflow as tf

_TOP = 127.0
_INT8 = parse("uniform8")


@dataclass(frozen=True)
class Learned:
    """What of a grid training may move: its scales, its table of levels."""

    scales: bool = False
    levels: bool = False


_FIXED = Learned()


class LayerWeights:
    """The weights of a layer of a folded Keras model.

    Inside, a kernel is [..., channels] in shares of each channel's first range, so that one
    learning rate suits all layers; a table of levels is [k, channels] or [k, 1], ascending, in
    shares of 127; a scale is kept as its logarithm.
    """

    def __init__(self, layer) -> None:
        import tensorflow as tf

        kernel, *bias = layer.get_weights()
        self.layer = layer
        self.dense = isinstance(layer, load_keras().layers.Dense)
        self.depthwise = folding.channel_axis(layer) == 2
        self._shape = kernel.shape
        if self.depthwise:
            kernel = kernel.reshape(*kernel.shape[:2], -1)
        peak = np.abs(kernel).reshape(-1, kernel.shape[-1]).max(axis=0)
        self._norm = tf.constant(np.where(peak > 0, peak, 1).astype(np.float32))
        self.latent = tf.Variable(kernel / self._norm.numpy())
        self.bias = tf.Variable(bias[0] if bias else np.zeros(kernel.shape[-1], np.float32))
        self.learned = Learned()
        self._log_scales = tf.Variable(tf.zeros_like(self._norm))
        self._table: tf.Variable | None = None
        self._even = False
        # Shares of each weight that follow the grid, and that no longer move: 0 or 1.
        self._gridded = tf.Variable(0.0, trainable=False)
        self._frozen = tf.Variable(tf.zeros_like(self.latent), trainable=False)
        self._kept = tf.Variable(tf.zeros_like(self.latent), trainable=False)

    @property
    def channels(self) -> int:
        return int(self.latent.shape[-1])

    def trainable_variables(self) -> list[tf.Variable]:
        found = [self.latent, self.bias]
        if self.learned.scales:
            found.append(self._log_scales)
        if self.learned.levels:
            found.append(self._table)
        return found

    def kernel(self) -> np.ndarray:
        """Return the real weights before any rounding, float32 [channels, ...]."""
        return np.moveaxis((self.latent * self._norm).numpy(), -1, 0)

    def set_grid(self, fitted: GridWeights, learned: Learned = _FIXED, *, on: bool = True) -> None:
        """Give the layer a grid. fitted: of `kernel()`, channel axis 0. on: whether the weights
        follow it from now on; else only those that `freeze` names."""
        import tensorflow as tf

        if self.dense and len(np.unique(fitted.scales)) > 1:
            raise InputError(
                f'layer "{self.layer.name}": the TFLite converter takes one scale for a dense '
                "layer in quantization-aware training; give it a scheme with /tensor"
            )
        tables = fitted.levels.astype(np.float32)
        if len(tables) > 1:
            group = -(-self.channels // len(tables))
            tables = np.repeat(tables, group, axis=0)[: self.channels]
        self._table = tf.Variable(tables.T / _TOP)
        self._log_scales.assign(np.broadcast_to(np.log(fitted.scales), (self.channels,)))
        self.learned = learned
        self._even = not learned.levels and bool((np.diff(tables, axis=1) == 1).all())
        self._one_scale = len(np.unique(fitted.scales)) == 1
        self.follow(on)

    def start_at(self, fitted: GridWeights, bias: np.ndarray, learned: Learned = _FIXED) -> None:
        """Take weights that are on a grid already, and the real bias that goes with them."""
        self.set_grid(fitted, learned)
        real = np.moveaxis(fitted.real(), 0, -1)
        self.latent.assign(real / self._norm.numpy())
        self.bias.assign(bias.astype(np.float32))

    def follow(self, on: bool) -> None:
        """Whether weights that are not frozen follow the grid."""
        self._gridded.assign(float(on))

    def freeze(self, mask: np.ndarray | None = None) -> None:
        """Keep weights at their present levels for good. mask: bool [channels, ...], or all.

        A scale that is learned goes on being learned: it moves no weight to another level.
        """
        chosen = np.ones(self.latent.shape) if mask is None else np.moveaxis(mask, 0, -1)
        chosen = chosen.astype(np.float32) * (1 - self._frozen.numpy())
        self._kept.assign_add(chosen * self._levels().numpy())
        self._frozen.assign_add(chosen)
        self.learned = replace(self.learned, levels=False)

    def frozen(self) -> np.ndarray:
        """Return which weights no longer move, bool [channels, ...]."""
        return np.moveaxis(self._frozen.numpy() > 0, -1, 0)

    def real(self, input_scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return kernel and bias as the device has them, the bias in whole steps of its int32."""
        import tensorflow as tf

        if self._table is None:
            return self.latent * self._norm, self.bias
        scales = self._scales()
        free = self.latent * self._norm / scales
        levels = self._gridded * self._levels() + (1 - self._gridded) * free
        levels = self._frozen * self._kept + (1 - self._frozen) * levels
        step = tf.stop_gradient(input_scale * scales)
        bias = self.bias + tf.stop_gradient(tf.round(self.bias / step) * step - self.bias)
        return levels * scales, bias

    def integers(self) -> tuple[np.ndarray, np.ndarray]:
        """Return levels int8 [channels, ...] and scales float32 [channels].

        Of a layer that is on no grid yet: the nearest int8 of 8 bits.
        """
        if self._table is None:
            fitted = grids.fit(self.kernel(), with_one_scale(_INT8) if self.dense else _INT8, 0)
            return fitted.values, np.broadcast_to(fitted.scales, (self.channels,))
        levels = np.where(self._frozen.numpy() > 0, self._kept.numpy(), self._levels().numpy())
        whole = np.rint(levels)
        if np.abs(levels - whole).max() > 1e-3 or np.abs(whole).max() > _TOP:
            raise CheckError(f'layer "{self.layer.name}": a level is no whole number in int8')
        return np.moveaxis(whole.astype(np.int8), -1, 0), self._scales().numpy()

    def as_stored(self, levels: np.ndarray) -> np.ndarray:
        """Return levels [channels, ...] in the shape of the tensor in a `.tflite`."""
        return np.moveaxis(levels, 0, -1)[None] if self.depthwise else levels

    def apply(self, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Return what the layer makes of x, with its activation, for this kernel and bias."""
        import tensorflow as tf

        layer = self.layer
        if self.dense:
            return layer.activation(tf.matmul(x, kernel) + bias)
        padding, dilations = layer.padding.upper(), list(layer.dilation_rate)
        strides = [1, *layer.strides, 1]
        if self.depthwise:
            kernel = tf.reshape(kernel, self._shape)
            y = tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=dilations)
        else:
            y = tf.nn.conv2d(x, kernel, strides, padding, dilations=dilations)
        return layer.activation(y + bias)

    def fixed(self) -> tf.Tensor:
        """Return the kernel as the converter is to store it: constants that it quantizes to the
        very levels, since their range is 127 steps on both sides."""
        import tensorflow as tf

        with tf.init_scope():  # outside the function being traced, where values are known
            levels, scales = self.integers()
        real = tf.constant(np.moveaxis(levels, 0, -1).astype(np.float32) * scales)
        quant = tf.quantization
        if self.dense:
            top = float(scales[0]) * _TOP
            return quant.fake_quant_with_min_max_args(real, -top, top, narrow_range=True)
        top = scales * np.float32(_TOP)
        return quant.fake_quant_with_min_max_vars_per_channel(real, -top, top, narrow_range=True)

    def _scales(self) -> tf.Tensor:
        import tensorflow as tf

        logs = self._log_scales
        if self._one_scale:  # moved together, where training moves them
            logs = tf.reduce_mean(logs) + tf.zeros_like(logs)
        return tf.exp(logs)

    def _levels(self) -> tf.Tensor:
        """Return the level of each weight, a whole number, its gradient straight through."""
        import tensorflow as tf

        u = self.latent * self._norm / self._scales()
        table = self._whole_table()
        low, high = tf.stop_gradient(table[0]), tf.stop_gradient(table[-1])
        u = tf.clip_by_value(u, low, high)
        if self._even:
            return u + tf.stop_gradient(tf.round(u) - u)
        middles = tf.stop_gradient((table[1:] + table[:-1]) / 2)
        shape = [table.shape[0], *[1] * (len(u.shape) - 1), -1]
        above = tf.cast(u[None] > tf.reshape(middles, [shape[0] - 1, *shape[1:]]), tf.float32)
        steps = tf.reshape(table[1:] - table[:-1], [shape[0] - 1, *shape[1:]])
        # The gradient of this sum by a level is 1 for each weight that lies on it.
        nearest = table[0] + tf.reduce_sum(above * steps, axis=0)
        return nearest + u - tf.stop_gradient(u)

    def _whole_table(self) -> tf.Tensor:
        import tensorflow as tf

        table = tf.clip_by_value(tf.sort(self._table, axis=0) * _TOP, -_TOP, _TOP)
        return table + tf.stop_gradient(tf.round(table) - table)
