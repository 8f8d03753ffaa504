#include "ear_weights_codes.h"

void ear_weights_ternary(const ear_weights_t *weights, int32_t unit, int32_t count,
                         int8_t *values)
{
    const ear_even_t codes = ear_codes_even(weights);
    const uint32_t *words = ear_codes_words(weights, unit);
    for (int32_t quads = (count + 3) / 4; quads > 0; quads -= 5) {
        /* Bytes 0 and 2 and bytes 1 and 3, each with room for the digit that leaves it on top. */
        const uint32_t word = *words++;
        uint32_t even = word & 0x00ff00ffu;
        uint32_t odd = word >> 8 & 0x00ff00ffu;
#pragma GCC unroll 5
        for (int32_t digit = 0; digit < 5; ++digit, values += 4) {
            if (digit == quads) {
                return;
            }
            even *= 3u;
            odd *= 3u;
            ear_codes_put_even(codes, (even >> 8 & 0x00030003u) | (odd & 0x03000300u), values);
            even &= 0x00ff00ffu;
            odd &= 0x00ff00ffu;
        }
    }
}
