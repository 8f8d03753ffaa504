#include "ear_weights_exponents.h"

void ear_weights_exponent2(const ear_weights_t *weights, int32_t unit, int32_t count,
                           int8_t *values)
{
    int8_t table[1 << 2];
    const ear_weights_t by_table = ear_exponents_by_table(weights, 2, table);
    ear_weights_table2(&by_table, unit, count, values);
}
