#include "ear_kernels.h"

#include "ear_dot_s8.h"
#include "ear_finish_s8.h"
#include "ear_requantize.h"

static inline int8_t finish(const ear_fully_connected_t *params, const ear_scales_t *scales,
                     const int32_t *bias, int32_t unit, int32_t sum)
{
    return ear_finish_s8(scales, bias, unit, sum, params->output_offset, params->output_min,
                         params->output_max);
}

/* What a filter with a zero point adds to every sum of one row. */
static int32_t filter_offset_sum(const ear_fully_connected_t *params, const int8_t *input)
{
    int32_t sum = 0;
    if (params->filter_offset != 0) {
        for (int32_t i = 0; i < params->depth; ++i) {
            sum += input[i] + params->input_offset;
        }
    }
    return sum * params->filter_offset;
}

/* Units first to end - 1 of one row; `filter` holds the weights of these. */
__attribute__((noinline)) static void block_of_row(const ear_fully_connected_t *params, const ear_scales_t *scales,
                         const int8_t *input, const int8_t *filter, int32_t first, int32_t end,
                         const int32_t *bias, int8_t *output)
{
    const int32_t depth = params->depth;
    const int32_t common = filter_offset_sum(params, input);
    int32_t unit = first;
    for (; unit + 4 <= end; unit += 4, filter += 4 * depth) {
        int32_t sums[4] = {common, common, common, common};
        ear_dot4_s8(input, params->input_offset, filter, depth, depth, sums);
        for (int32_t i = 0; i < 4; ++i) {
            output[unit + i] = finish(params, scales, bias, unit + i, sums[i]);
        }
    }
    for (; unit < end; ++unit, filter += depth) {
        const int32_t sum = ear_dot_s8(input, params->input_offset, filter, depth);
        output[unit] = finish(params, scales, bias, unit, common + sum);
    }
}

void ear_fully_connected_s8(const ear_fully_connected_t *params, const ear_scales_t *scales,
                            const int8_t *input, const ear_weights_t *filter, int8_t *scratch,
                            const int32_t *bias, int8_t *output)
{
    const int32_t units = params->units;
    const int32_t step = ear_weights_block(filter, units);
    for (int32_t first = 0; first < units; first += step) {
        const int32_t end = units - first < step ? units : first + step;
        const int8_t *const weights =
            ear_weights_rows(filter, params->depth, first, end - first, scratch);
        for (int32_t row = 0; row < params->rows; ++row) {
            block_of_row(params, scales, input + row * params->depth, weights, first, end, bias,
                         output + row * units);
        }
    }
}
