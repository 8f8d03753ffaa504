"""log1p in single precision as FDLIBM computes it, in its order of operations.

The mel bands of the `micro` front end come from log1pf, and some weights hang on its last bit.
glibc up to 2.40, newlib, musl and the BSDs have FDLIBM's; written out here the tables are the same
on every computer. Source: Sun Microsystems' FDLIBM 5.3, s_log1p.c, in its float form.
"""

import numpy as np

_F = np.float32
_LN2_HIGH = _F(6.9313812256e-01)
_LN2_LOW = _F(9.0580006145e-06)
_TERMS = [
    _F(t)
    for t in (
        6.6666668653e-01,
        4.0000000596e-01,
        2.8571429849e-01,
        2.2222198546e-01,
        1.8183572590e-01,
        1.5313838422e-01,
        1.4798198640e-01,
    )
]
_MANTISSA = 0x007FFFFF
_SQRT2_MANTISSA = 0x3504F7
_SQRT2_LESS_ONE = _F(0.41421354)


def log1p(x: np.float32) -> np.float32:
    """Return log(1 + x) for a float32 x from 0 to 2^53."""
    x = _F(x)
    if x <= _SQRT2_LESS_ONE:
        exponent, f, correction = _F(0), x, _F(0)
    else:
        exponent, f, correction = _reduced(x)
    half_square = _F(0.5) * f * f
    s = f / (_F(2) + f)
    z = s * s
    series = _F(0)
    for term in reversed(_TERMS):
        series = z * (term + series)
    tail = s * (half_square + series)
    if exponent == 0:
        return f - (half_square - tail)
    low = exponent * _LN2_LOW + correction
    return exponent * _LN2_HIGH - ((half_square - (tail + low)) - f)


def _reduced(x: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """Return k, f and what rounding 1 + x lost, so that 1 + x = 2^k (1 + f), f near 0."""
    u = _F(1) + x
    bits = int(u.view(np.int32))
    k = (bits >> 23) - 127
    lost = (_F(1) - (u - x) if k > 0 else x - (u - _F(1))) / u
    bits &= _MANTISSA
    if bits < _SQRT2_MANTISSA:
        bits |= 0x3F800000
    else:
        k += 1
        bits |= 0x3F000000
    return _F(k), np.int32(bits).view(np.float32) - _F(1), lost
