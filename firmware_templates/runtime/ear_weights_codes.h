/* Codes of 1 to 6 bits out of words, four at a time: the loop that all unpackers of fixed width
 * share. Constant arguments and inlining leave one straight loop to each. */
#ifndef EAR_WEIGHTS_CODES_H
#define EAR_WEIGHTS_CODES_H

#include <string.h>

#include "ear_weights.h"

/* value = base + step * code. base has 128 added, in each byte: it is never negative, so that no
 * byte borrows from the next. */
typedef struct {
    uint32_t step;
    uint32_t base;
} ear_even_t;

static inline ear_even_t ear_codes_even(const ear_weights_t *weights)
{
    const ear_even_t even = {weights->step, (uint32_t)(weights->base + 128) * 0x01010101u};
    return even;
}

/* Writes the values of four codes, one in each byte of `quad`. */
static inline void ear_codes_put_even(ear_even_t even, uint32_t quad, int8_t *values)
{
    const uint32_t four = (quad * even.step + even.base) ^ 0x80808080u;
    memcpy(values, &four, sizeof four);
}

static inline void ear_codes_put_entries(const int8_t *table, uint32_t quad, int8_t *values)
{
    values[0] = table[quad & 0xffu];
    values[1] = table[quad >> 8 & 0xffu];
    values[2] = table[quad >> 16 & 0xffu];
    values[3] = table[quad >> 24];
}

/* The words of a unit. */
static inline const uint32_t *ear_codes_words(const ear_weights_t *weights, int32_t unit)
{
    return (const uint32_t *)weights->data + unit * weights->unit_words;
}

/* Codes of low + high bits: 8 / low planes in each word, and of the high bits 8 / high planes in
 * each word behind those; high is 0 where codes are not parted. `by_table`: see table and even. */
static inline void ear_codes_unpack(const uint32_t *words, int32_t low, int32_t high,
                                    bool by_table, const int8_t *table, ear_even_t even,
                                    int32_t count, int8_t *values)
{
    const int32_t planes = 8 / low;
    const int32_t group = high != 0 ? 8 / high : planes; /* quads whose last code ends a word */
    const uint32_t low_mask = 0x01010101u * ((1u << low) - 1u);
    const uint32_t high_mask = 0x01010101u * ((1u << high) - 1u);
    int32_t quads = (count + 3) / 4;
    const uint32_t *tops = words + (quads + planes - 1) / planes;
    for (; quads > 0; quads -= group) {
        const uint32_t top = high != 0 ? *tops++ : 0;
        uint32_t word = 0;
#pragma GCC unroll 8
        for (int32_t i = 0; i < group; ++i, values += 4) {
            if (i == quads) {
                return;
            }
            word = i % planes == 0 ? *words++ : word >> low;
            const uint32_t rest = high != 0 ? (top >> i * high & high_mask) << low : 0;
            const uint32_t quad = (word & low_mask) | rest;
            if (by_table) {
                ear_codes_put_entries(table, quad, values);
            } else {
                ear_codes_put_even(even, quad, values);
            }
        }
    }
}

static inline void ear_codes_unpack_even(const ear_weights_t *weights, int32_t unit, int32_t low,
                                         int32_t high, int32_t count, int8_t *values)
{
    ear_codes_unpack(ear_codes_words(weights, unit), low, high, false, NULL,
                     ear_codes_even(weights), count, values);
}

static inline void ear_codes_unpack_table(const ear_weights_t *weights, int32_t unit,
                                          int32_t low, int32_t high, int32_t count,
                                          int8_t *values)
{
    const int8_t *const table =
        weights->tables + unit / weights->table_units * weights->entries;
    const ear_even_t none = {0, 0};
    ear_codes_unpack(ear_codes_words(weights, unit), low, high, true, table, none, count, values);
}

#endif
