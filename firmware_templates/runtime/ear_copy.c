#include "ear_kernels_move.h"

#include <string.h>

/* Copies `count` runs. Short ones have a length that the compiler knows: no call of memcpy. */
static void copy_runs(const uint8_t *input, uint8_t *output, int32_t bytes, const int32_t *loop)
{
    const int32_t count = loop[0];
    const int32_t input_stride = loop[1];
    const int32_t output_stride = loop[2];
    for (int32_t i = 0, from = 0, to = 0; i < count;
         ++i, from += input_stride, to += output_stride) {
        if (bytes == 1) {
            output[to] = input[from];
        } else if (bytes == 2) {
            memcpy(output + to, input + from, 2);
        } else if (bytes == 4) {
            memcpy(output + to, input + from, 4);
        } else {
            memcpy(output + to, input + from, (size_t)bytes);
        }
    }
}

void ear_copy(const ear_copy_t *params, const void *input, void *output)
{
    int32_t turn[EAR_COPY_LOOPS] = {0};
    int32_t from = params->from;
    int32_t to = params->to;
    const int32_t inner = params->loops - 1;
    int32_t outer = inner;
    while (outer >= 0) {
        copy_runs((const uint8_t *)input + from, (uint8_t *)output + to, params->run_bytes,
                  params->loop + 3 * inner);
        for (outer = inner - 1; outer >= 0; --outer) {
            const int32_t *loop = params->loop + 3 * outer;
            from += loop[1];
            to += loop[2];
            if (++turn[outer] < loop[0]) {
                break;
            }
            turn[outer] = 0;
            from -= loop[0] * loop[1];
            to -= loop[0] * loop[2];
        }
    }
}
