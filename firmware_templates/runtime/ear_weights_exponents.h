/* Sign and exponent as index and table: the table is made anew for each unit, on the stack. */
#ifndef EAR_WEIGHTS_EXPONENTS_H
#define EAR_WEIGHTS_EXPONENTS_H

#include "ear_weights.h"

/* Fills the table of 2^bits values: code 0 is 0, code e is step * 2^(e - 1), and those with the top
 * bit are negative. Returns weights that read it. */
static inline ear_weights_t ear_exponents_by_table(const ear_weights_t *weights, int32_t bits,
                                                   int8_t *table)
{
    const int32_t half = 1 << (bits - 1);
    int32_t size = weights->step;
    table[0] = 0;
    table[half] = 0;
    for (int32_t exponent = 1; exponent < half; ++exponent, size *= 2) {
        table[exponent] = (int8_t)size;
        table[half + exponent] = (int8_t)-size;
    }
    ear_weights_t by_table = *weights;
    by_table.tables = table;
    by_table.entries = 0; /* one table for all units */
    return by_table;
}

#endif
