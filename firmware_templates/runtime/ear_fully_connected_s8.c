#include "ear_kernels.h"

#include "ear_dot_s8.h"
#include "ear_finish_s8.h"

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
static void block_of_row(const ear_fully_connected_t *params, const int8_t *input,
                         const int8_t *filter, int32_t first, int32_t end,
                         const ear_finish_t *finish, int8_t *output)
{
    const int32_t depth = params->depth;
    const int32_t common = filter_offset_sum(params, input);
    int32_t unit = first;
    for (; unit + 4 <= end; unit += 4, filter += 4 * depth) {
        int32_t sums[4];
        ear_begin4_s8(finish, unit, sums);
        for (int32_t i = 0; i < 4; ++i) {
            sums[i] = ear_wrapping_sum(sums[i], common);
        }
        ear_dot4_s8(input, params->input_offset, filter, depth, depth, sums);
        ear_finish_s8(finish, unit, 4, sums, output + unit);
    }
    for (; unit < end; ++unit, filter += depth) {
        const int32_t sum = ear_wrapping_sum(
            ear_wrapping_sum(ear_begin_s8(finish, unit), common),
            ear_dot_s8(input, params->input_offset, filter, depth));
        ear_finish_s8(finish, unit, 1, &sum, output + unit);
    }
}

void ear_fully_connected_s8(const ear_fully_connected_t *params, const ear_scales_t *scales,
                            const int8_t *input, const ear_weights_t *filter, int8_t *scratch,
                            const int32_t *bias, int8_t *output)
{
    const int32_t units = params->units;
    const int32_t step = ear_weights_block(filter, units);
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    for (int32_t first = 0; first < units; first += step) {
        const int32_t end = units - first < step ? units : first + step;
        const int8_t *const weights =
            ear_weights_rows(filter, params->depth, first, end - first, scratch);
        for (int32_t row = 0; row < params->rows; ++row) {
            block_of_row(params, input + row * params->depth, weights, first, end, &finish,
                         output + row * units);
        }
    }
}
