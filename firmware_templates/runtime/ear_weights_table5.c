#include "ear_weights_codes.h"

void ear_weights_table5(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values)
{
    const ear_codes_t codes = ear_codes_by_table(weights, unit);
    ear_codes_unpack(&codes, ear_codes_words(weights, unit), 4, 1, count, values);
}
