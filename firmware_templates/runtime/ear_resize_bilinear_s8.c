#include "ear_kernels_reduce.h"

/* A row or column of the output: the two of the input that it lies between, as offsets, and how
 * far it is from the first, in 1 / 1024. */
enum { FIRST, SECOND, PART, FIELDS };
enum { ONE = 1 << 10 };

static int8_t rounded(int32_t sum)
{
    const int32_t half = sum > 0 ? 1 << 19 : -(1 << 19);
    return (int8_t)((sum + half) / (1 << 20));
}

void ear_resize_bilinear_s8(const ear_resize_bilinear_t *params, const int8_t *input,
                            int8_t *output)
{
    for (int32_t batch = 0; batch < params->batches; ++batch, input += params->batch_elements) {
        for (int32_t y = 0; y < params->height; ++y) {
            const int32_t *row = params->row + FIELDS * y;
            for (int32_t x = 0; x < params->width; ++x) {
                const int32_t *column = params->column + FIELDS * x;
                const int8_t *first = input + column[FIRST];
                const int8_t *second = input + column[SECOND];
                for (int32_t c = 0; c < params->channels; ++c) {
                    const int32_t left = first[row[FIRST] + c] * (ONE - row[PART]) +
                                         first[row[SECOND] + c] * row[PART];
                    const int32_t right = second[row[FIRST] + c] * (ONE - row[PART]) +
                                          second[row[SECOND] + c] * row[PART];
                    *output++ = rounded(left * (ONE - column[PART]) + right * column[PART]);
                }
            }
        }
    }
}
