"""Small codes to 32-bit words and back: four codes of a plane in the four bytes of a word.

Code k of plane p lies in byte k, from bit p * bits on; ear_weights_codes.h reads them. Widths
that do not divide 8 are parted in low and high bits, each in words of their own.
"""

import numpy as np

# Bits of a code -> (low bits, high bits).
PARTS = {1: (1, 0), 2: (2, 0), 3: (2, 1), 4: (4, 0), 5: (4, 1), 6: (4, 2)}


def to_words(codes: np.ndarray, bits: int) -> np.ndarray:
    """Return codes of 0 to 2^bits - 1 as uint32 words."""
    low, high = PARTS[bits]
    wide = codes.astype(np.uint32)
    words = _planes_to_words(wide & ((1 << low) - 1), low)
    if high:
        words = np.concatenate([words, _planes_to_words(wide >> low, high)])
    return words


def from_words(words: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Return the `count` codes, uint8, in the words: the inverse of to_words."""
    low, high = PARTS[bits]
    codes = _words_to_planes(words, low, count)
    if high:
        tops = words[_words(count, low) :]
        codes = codes | (_words_to_planes(tops, high, count) << low)
    return codes.astype(np.uint8)


def word_count(count: int, bits: int) -> int:
    """Return how many words `count` codes take."""
    low, high = PARTS[bits]
    return _words(count, low) + (_words(count, high) if high else 0)


def _words(count: int, bits: int) -> int:
    return -(-count // (32 // bits))


def _shifts(bits: int) -> np.ndarray:
    """Return the place of each code of a word: [planes, 4]."""
    planes = np.arange(0, 8, bits, dtype=np.uint32)[:, np.newaxis]
    return planes + np.arange(0, 32, 8, dtype=np.uint32)


def _planes_to_words(codes: np.ndarray, bits: int) -> np.ndarray:
    count = _words(len(codes), bits)
    filled = np.zeros(count * (32 // bits), np.uint32)
    filled[: len(codes)] = codes
    placed = filled.reshape(count, -1, 4) << _shifts(bits)
    return np.bitwise_or.reduce(placed, axis=(1, 2))


def _words_to_planes(words: np.ndarray, bits: int, count: int) -> np.ndarray:
    wanted = words[: _words(count, bits)]
    planes = (wanted[:, np.newaxis, np.newaxis] >> _shifts(bits)) & np.uint32((1 << bits) - 1)
    return planes.ravel()[:count]
