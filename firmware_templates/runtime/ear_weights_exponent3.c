#include "ear_weights_exponents.h"

void ear_weights_exponent3(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values)
{
    int8_t table[1 << 3];
    const ear_weights_t by_table = ear_exponents_by_table(weights, 3, table);
    ear_weights_table3(&by_table, unit, count, values);
}
