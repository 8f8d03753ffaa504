#include "ear_weights_exponents.h"

void ear_weights_exponent4(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values)
{
    int8_t table[1 << 4];
    const ear_weights_t by_table = ear_exponents_by_table(weights, 4, table);
    ear_weights_table4(&by_table, unit, count, values);
}
