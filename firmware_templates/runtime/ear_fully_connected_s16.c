#include "ear_kernels_s16.h"

#include "ear_dot_s16.h"
#include "ear_finish_s16.h"

/* Units first to end - 1 of one row; `filter` holds the weights of these. */
__attribute__((noinline)) static void block_of_row(const int16_t *input, int32_t depth,
                                                   const int8_t *filter, int32_t first,
                                                   int32_t end, const ear_finish_s16_t *finish,
                                                   int16_t *output)
{
    int32_t unit = first;
    if (finish->channels->fits) {
        for (; unit + 4 <= end; unit += 4, filter += 4 * depth) {
            int32_t sums[4] = {0, 0, 0, 0};
            ear_dot4_s16(input, filter, depth, depth, sums);
            ear_finish_s16(finish, unit, 4, sums, output + unit);
        }
    }
    for (; unit < end; ++unit, filter += depth) {
        output[unit] = ear_finish_one_s16(finish, unit, ear_dot_s16(input, filter, depth));
    }
}

void ear_fully_connected_s16(const ear_fully_connected_t *params,
                             const ear_channels_s16_t *channels, const int16_t *input,
                             const ear_weights_t *filter, int8_t *scratch, int16_t *output)
{
    const int32_t units = params->units;
    const int32_t depth = params->depth;
    const int32_t step = ear_weights_block(filter, units);
    const ear_finish_s16_t finish = {channels, params->output_min, params->output_max};
    for (int32_t first = 0; first < units; first += step) {
        const int32_t end = units - first < step ? units : first + step;
        const int8_t *const weights =
            ear_weights_rows(filter, depth, first, end - first, scratch);
        for (int32_t row = 0; row < params->rows; ++row) {
            block_of_row(input + row * depth, depth, weights, first, end, &finish,
                         output + row * units);
        }
    }
}
