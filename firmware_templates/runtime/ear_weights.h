/* Weights of a layer, raw or packed without loss.
 *
 * Weights are int8 values [output channels][weights of one channel]; those of a depthwise layer
 * are [taps][output channels]. Packed ones are kept in units, each the values of `unit` adjacent
 * output channels (of a depthwise layer: [taps][unit]), and a kernel goes through blocks of
 * `block` output channels: it unpacks a block once, then uses it at every position. Raw weights
 * are one block, and stay where they are.
 *
 * Who uses weights calls ear_weights_block, then ear_weights_rows for each block in turn. Scratch
 * is the caller's: ear_weights_scratch_bytes, aligned to 4 bytes; none for raw weights.
 *
 * Packed data is a row of 32-bit words, little-endian in its lanes: a word holds planes of four
 * codes, one in each of its bytes, so that four values come from one word by whole-word
 * arithmetic. Code k of plane p lies in byte k, from bit p * bits on. Cores are little-endian.
 */
#ifndef EAR_WEIGHTS_H
#define EAR_WEIGHTS_H

#include "ear.h"

struct ear_weights;

/* Writes the `count` values of a unit, and up to 3 bytes behind them. */
typedef void (*ear_unpack_t)(const struct ear_weights *weights, int32_t unit, int32_t count,
                             int8_t *values);

typedef struct ear_weights {
    const void *data;     /* raw: int8_t; packed: uint32_t, see the function that unpacks it */
    const int8_t *tables; /* of forms that have some: `entries` values each; else NULL */
    ear_unpack_t unpack;  /* NULL for raw weights, which read no other field but data */
    uint16_t block;       /* output channels unpacked at once, a multiple of unit */
    uint16_t unit;        /* output channels packed together */
    uint16_t unit_words;  /* from one unit to the next */
    uint16_t table_units; /* units that share a table */
    uint8_t entries;
    uint8_t step; /* value = base + step * code, of forms whose codes count evenly */
    int8_t base;
} ear_weights_t;

/* Bytes of scratch for blocks of `block` channels with `row` weights each. */
static inline int32_t ear_weights_scratch_bytes(int32_t block, int32_t row)
{
    return (block * row + 3) / 4 * 4;
}

/* Output channels in a block, but the last, which has what is left of `channels`. */
static inline int32_t ear_weights_block(const ear_weights_t *weights, int32_t channels)
{
    return weights->unpack != NULL ? (int32_t)weights->block : channels;
}

/* The weights of `count` output channels from `first` on, `row` values each. `first` is a multiple
 * of the block; `count` is the block, or what is left. The result is valid until the next call. */
const int8_t *ear_weights_rows(const ear_weights_t *weights, int32_t row, int32_t first,
                               int32_t count, int8_t *scratch);

/* Uniform codes of 1 to 6 bits: value = base + step * code. Codes of 3, 5 and 6 bits are parted:
 * 2, 4 and 4 low bits in words of their own, then the high bits of the unit in further words. */
void ear_weights_uniform1(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);
void ear_weights_uniform2(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);
void ear_weights_uniform3(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);
void ear_weights_uniform4(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);
void ear_weights_uniform5(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);
void ear_weights_uniform6(const ear_weights_t *weights, int32_t unit, int32_t count,
                          int8_t *values);

#endif
