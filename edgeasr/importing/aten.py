"""Names of PyTorch's operations (ATen) that a program to be imported may call.

Each computes from its arguments alone. The list is closed since ATen also has operations that open
files by name (`from_file`).
"""

_LAYERS = """
conv1d conv2d convolution _convolution linear addmm mm matmul bmm batch_norm
_native_batch_norm_legit_no_training max_pool1d max_pool2d max_pool2d_with_indices avg_pool1d
avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d mean sum
amax dropout dropout_ feature_dropout pad constant_pad_nd
"""
_ACTIVATIONS = """
relu relu_ relu6 relu6_ hardtanh hardtanh_ clamp clamp_ clamp_min leaky_relu leaky_relu_ elu elu_
sigmoid sigmoid_ tanh tanh_ hardsigmoid hardsigmoid_ hardswish hardswish_ silu silu_ softmax
_softmax log_softmax _log_softmax
"""
_ARITHMETIC = "add add_ sub sub_ mul mul_ div div_ rsub neg sqrt rsqrt pow square reciprocal"
_SHAPES = """
view reshape _unsafe_view flatten unflatten squeeze squeeze_ unsqueeze unsqueeze_ permute transpose
transpose_ t contiguous clone detach detach_ alias to _to_copy cat concat identity expand
lift_fresh_copy sym_size select slice narrow
chunk split split_with_sizes
"""
ATEN = frozenset(" ".join((_LAYERS, _ACTIVATIONS, _ARITHMETIC, _SHAPES)).split())
