#include "ear_kernels_s16.h"

#include <string.h>

static bool inside(int32_t at, int32_t before, int32_t size)
{
    return at >= before && at < before + size;
}

void ear_pad_s16(const ear_pad_t *params, const ear_dims_t *input_dims, const int16_t *input,
                 const ear_dims_t *output_dims, int16_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t h = 0; h < output_dims->h; ++h) {
            for (int32_t w = 0; w < output_dims->w; ++w, output += output_dims->c) {
                for (int32_t c = 0; c < output_dims->c; ++c) {
                    output[c] = (int16_t)params->value;
                }
                if (inside(n, params->before_n, input_dims->n) &&
                    inside(h, params->before_h, input_dims->h) &&
                    inside(w, params->before_w, input_dims->w)) {
                    memcpy(output + params->before_c, input,
                           (size_t)input_dims->c * sizeof *input);
                    input += input_dims->c;
                }
            }
        }
    }
}
