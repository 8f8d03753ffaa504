#include "ear_kernels.h"

#include <string.h>

static bool inside(int32_t at, int32_t before, int32_t size)
{
    return at >= before && at < before + size;
}

void ear_pad_s8(const ear_pad_t *params, const ear_dims_t *input_dims, const int8_t *input,
                const ear_dims_t *output_dims, int8_t *output)
{
    const size_t row = (size_t)output_dims->c;
    const size_t kept = (size_t)input_dims->c;
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t h = 0; h < output_dims->h; ++h) {
            for (int32_t w = 0; w < output_dims->w; ++w, output += row) {
                memset(output, params->value, row);
                if (inside(n, params->before_n, input_dims->n) &&
                    inside(h, params->before_h, input_dims->h) &&
                    inside(w, params->before_w, input_dims->w)) {
                    memcpy(output + params->before_c, input, kept);
                    input += kept;
                }
            }
        }
    }
}
