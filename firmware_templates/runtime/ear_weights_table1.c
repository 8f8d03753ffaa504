#include "ear_weights_codes.h"

void ear_weights_table1(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values)
{
    ear_codes_unpack_table(weights, unit, 1, 0, count, values);
}
