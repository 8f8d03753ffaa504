/* Codes of 1 to 6 bits out of words, four at a time: the loop that all unpackers of fixed width
 * share. Constant arguments and inlining leave one straight loop to each. */
#ifndef EAR_WEIGHTS_CODES_H
#define EAR_WEIGHTS_CODES_H

#include <string.h>

#include "ear_weights.h"

/* What becomes of a code: table[code] where there is a table, else base + step * code. */
typedef struct {
    const int8_t *table;
    uint32_t step;
    uint32_t base; /* base + 128 in each byte: never negative, so no byte borrows of the next */
} ear_codes_t;

static inline ear_codes_t ear_codes_even(const ear_weights_t *weights)
{
    const uint32_t base = (uint32_t)(weights->base + 128);
    const ear_codes_t codes = {NULL, weights->step, base * 0x01010101u};
    return codes;
}

/* The codes of a unit are indices to its table. */
static inline ear_codes_t ear_codes_by_table(const ear_weights_t *weights, int32_t unit)
{
    const int32_t number = unit / weights->table_units;
    const ear_codes_t codes = {weights->tables + number * weights->entries, 0, 0};
    return codes;
}

/* The table of sign and exponent: code 0 is 0, code e is step * 2^(e - 1), and those with the top
 * bit of `bits` are negative. */
static inline void ear_codes_exponents(const ear_weights_t *weights, int32_t bits, int8_t *table)
{
    const int32_t half = 1 << (bits - 1);
    int32_t size = weights->step;
    table[0] = 0;
    table[half] = 0;
    for (int32_t exponent = 1; exponent < half; ++exponent, size *= 2) {
        table[exponent] = (int8_t)size;
        table[half + exponent] = (int8_t)-size;
    }
}

/* Writes the values of four codes, one in each byte of `quad`. */
static inline void ear_codes_put(const ear_codes_t *codes, uint32_t quad, int8_t *values)
{
    if (codes->table != NULL) {
        values[0] = codes->table[quad & 0xffu];
        values[1] = codes->table[quad >> 8 & 0xffu];
        values[2] = codes->table[quad >> 16 & 0xffu];
        values[3] = codes->table[quad >> 24];
        return;
    }
    const uint32_t four = (quad * codes->step + codes->base) ^ 0x80808080u;
    memcpy(values, &four, sizeof four);
}

/* Codes of low + high bits: 8 / low planes in each word of `words`, and of the high bits 8 / high
 * planes in each word behind those. high is 0 where codes are not parted. */
static inline void ear_codes_unpack(const ear_codes_t *codes, const uint32_t *words, int32_t low,
                                    int32_t high, int32_t count, int8_t *values)
{
    const int32_t narrow = high != 0 ? high : low;
    const int32_t group = 8 / narrow; /* quads whose last code ends a word */
    const uint32_t low_mask = 0x01010101u * ((1u << low) - 1u);
    const uint32_t high_mask = 0x01010101u * ((1u << high) - 1u);
    int32_t quads = (count + 3) / 4;
    const uint32_t *tops = words + (quads + 8 / low - 1) / (8 / low);
    while (quads > 0) {
        const uint32_t top = high != 0 ? *tops++ : 0;
        uint32_t word = 0;
        if (quads >= group) {
#pragma GCC unroll 8
            for (int32_t i = 0; i < group; ++i, values += 4) {
                word = i % (8 / low) == 0 ? *words++ : word >> low;
                const uint32_t rest = high != 0 ? (top >> i * high & high_mask) << low : 0;
                ear_codes_put(codes, (word & low_mask) | rest, values);
            }
        } else {
            for (int32_t i = 0; i < quads; ++i, values += 4) {
                word = i % (8 / low) == 0 ? *words++ : word >> low;
                const uint32_t rest = high != 0 ? (top >> i * high & high_mask) << low : 0;
                ear_codes_put(codes, (word & low_mask) | rest, values);
            }
        }
        quads -= group;
    }
}

/* The words of a unit. */
static inline const uint32_t *ear_codes_words(const ear_weights_t *weights, int32_t unit)
{
    return (const uint32_t *)weights->data + unit * weights->unit_words;
}

#endif
