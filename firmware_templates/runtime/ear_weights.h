/* Weights of a layer, raw or packed without loss.
 *
 * Weights are int8 values [output channels][weights of one channel]; those of a depthwise layer
 * are [taps][output channels]. Packed ones are kept in units, each the values of `unit` adjacent
 * output channels (of a depthwise layer: [taps][unit]), and a kernel goes through blocks of
 * `block` output channels: it unpacks a block once, then uses it at every position. Raw weights
 * are one block, and stay where they are.
 *
 * Who uses weights calls ear_weights_block, then ear_weights_rows for each block in turn. Scratch
 * is the caller's: 3 bytes more than the weights of a block, and none for raw weights.
 *
 * Packed data is a row of 32-bit words, little-endian in its lanes: a word holds planes of four
 * codes, one in each of its bytes, so that four values come from one word by whole-word
 * arithmetic. Code k of plane p lies in byte k, from bit p * bits on.
 */
#ifndef EAR_WEIGHTS_H
#define EAR_WEIGHTS_H

#include "ear.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed weights are unpacked on little-endian cores only"
#endif

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
    uint8_t step; /* of uniform and ternary codes: value = base + step * code; else see below */
    int8_t base;
} ear_weights_t;

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

/* Codes 0, 1 and 2: value = base + step * code. Each byte of a word holds five digits of base 3, as
 * ceil(256 / 243 * number): times 3, its first digit leaves it on top. */
void ear_weights_ternary(const ear_weights_t *weights, int32_t unit, int32_t count,
                         int8_t *values);

/* Sign and exponent, in words as uniform codes are: the top bit is the sign; below it, 0 is 0 and e
 * is step * 2^(e - 1). */
void ear_weights_exponent3(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values);
void ear_weights_exponent4(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values);

/* Indices to a table, in words as uniform codes are. Unit u has table u / table_units. */
void ear_weights_table1(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);
void ear_weights_table2(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);
void ear_weights_table3(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);
void ear_weights_table4(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);
void ear_weights_table5(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);
void ear_weights_table6(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);

/* Runs of zeros, each with the value behind it; a unit ends where its values do. Data begins with
 * the place of each unit, in bytes from its start, as a word each. A token is one byte: the run
 * above `step` bits, an index to the table in them. */
void ear_weights_runs(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);

/* As ear_weights_runs, but a token is two bytes: run, value. */
void ear_weights_runs8(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values);

#endif
