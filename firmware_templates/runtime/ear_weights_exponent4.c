#include "ear_weights_codes.h"

void ear_weights_exponent4(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values)
{
    int8_t table[1 << 4];
    ear_codes_exponents(weights, 4, table);
    const ear_codes_t codes = {table, 0, 0};
    ear_codes_unpack(&codes, ear_codes_words(weights, unit), 4, 0, count, values);
}
