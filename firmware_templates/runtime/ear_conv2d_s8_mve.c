#include "ear_kernels_mve.h"

#include "ear_mve.h"

typedef struct {
    const ear_conv_mve_t *params;
    const int32_t *bias;
    int32_t channels;
    ear_mve_finish_t finish;
} layer_t;

/* A block of output channels, its weights unpacked. */
typedef struct {
    const int8_t *weights;
    int32_t row; /* weights of one channel */
    int32_t first;
    int32_t count;
} block_t;

/* What lies under the filter at any position of a row of outputs. */
typedef struct {
    int8_t *values;
    int32_t row;   /* bytes of a row, all that the filter meets of one of the input's */
    int32_t rows;  /* of the filter */
    int32_t start; /* bytes of padding */
    int32_t inside;
} band_t;

#if EAR_MVE

/* Sums of one column and four channels. */
static inline void one_by_four(const int8_t *column, const int8_t *weights, int32_t row,
                               const int32_t *bias, int32_t *sums)
{
    const int8_t *const second = weights + row;
    const int8_t *const third = second + row;
    const int8_t *const fourth = third + row;
    int32_t a = bias[0];
    int32_t b = bias[1];
    int32_t c = bias[2];
    int32_t d = bias[3];
    for (int32_t i = 0; i < row; i += 16) {
        const int8x16_t x = vldrbq_s8(column + i);
        a = vmladavaq_s8(a, vldrbq_s8(weights + i), x);
        b = vmladavaq_s8(b, vldrbq_s8(second + i), x);
        c = vmladavaq_s8(c, vldrbq_s8(third + i), x);
        d = vmladavaq_s8(d, vldrbq_s8(fourth + i), x);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static inline int32_t one_sum(const int8_t *column, const int8_t *weights, int32_t row,
                              int32_t sum)
{
    for (int32_t i = 0; i < row; i += 16) {
        sum = vmladavaq_s8(sum, vldrbq_s8(weights + i), vldrbq_s8(column + i));
    }
    return sum;
}

__attribute__((noinline)) static void one_column(const int8_t *column, const int8_t *weights,
                                                 int32_t row, int32_t count,
                                                 const int32_t *bias, int32_t *sums)
{
    int32_t done = 0;
    for (; done + 4 <= count; done += 4, weights += 4 * row) {
        one_by_four(column, weights, row, bias + done, sums + done);
    }
    for (; done < count; ++done, weights += row) {
        sums[done] = one_sum(column, weights, row, bias[done]);
    }
}

/* The outputs of two positions from their sums without bias; see ear_mve_finish. */
static inline void finish_two(const ear_mve_finish_t *finish, int32_t first, int32_t count,
                              const int32_t *bias, const int32_t *sums, int8_t *output,
                              int8_t *other)
{
    const int32_t *multipliers = finish->multipliers + first;
    const int8_t *shifts = finish->shifts + first;
    const int32_t *others = sums + EAR_SUMS_MOST;
    const int32x4_t low = vdupq_n_s32(finish->low);
    const int32x4_t high = vdupq_n_s32(finish->high);
    bias += first;
    if (finish->low >= finish->zero_point) {
        /* No result below 0 is seen: half up will do. */
        __asm__ volatile("dlstp.32 lr, %[count]\n"
                         "1:\n\t"
                         "vldrw.32 q2, [%[bias]], #16\n\t"
                         "vldrw.32 q0, [%[sums]], #16\n\t"
                         "vadd.i32 q0, q0, q2\n\t"
                         "vldrw.32 q1, [%[others]], #16\n\t"
                         "vadd.i32 q1, q1, q2\n\t"
                         "vldrw.32 q2, [%[multipliers]], #16\n\t"
                         "vqrdmulh.s32 q0, q0, q2\n\t"
                         "vldrb.s32 q3, [%[shifts]], #4\n\t"
                         "vqrdmulh.s32 q1, q1, q2\n\t"
                         "vrshl.s32 q0, q0, q3\n\t"
                         "vadd.i32 q0, q0, %[zero_point]\n\t"
                         "vmax.s32 q0, q0, %q[low]\n\t"
                         "vmin.s32 q0, q0, %q[high]\n\t"
                         "vrshl.s32 q1, q1, q3\n\t"
                         "vstrb.32 q0, [%[output]], #4\n\t"
                         "vadd.i32 q1, q1, %[zero_point]\n\t"
                         "vmax.s32 q1, q1, %q[low]\n\t"
                         "vmin.s32 q1, q1, %q[high]\n\t"
                         "vstrb.32 q1, [%[other]], #4\n\t"
                         "letp lr, 1b"
                         : [sums] "+r"(sums), [others] "+r"(others), [bias] "+r"(bias),
                           [multipliers] "+r"(multipliers), [shifts] "+l"(shifts),
                           [output] "+l"(output), [other] "+l"(other)
                         : [count] "r"(count), [low] "w"(low), [high] "w"(high),
                           [zero_point] "r"(finish->zero_point)
                         : "lr", "q0", "q1", "q2", "q3", "memory");
        return;
    }
    __asm__ volatile("dlstp.32 lr, %[count]\n"
                     "1:\n\t"
                     "vldrw.32 q2, [%[bias]], #16\n\t"
                     "vldrw.32 q0, [%[sums]], #16\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vldrw.32 q1, [%[others]], #16\n\t"
                     "vadd.i32 q1, q1, q2\n\t"
                     "vldrw.32 q2, [%[multipliers]], #16\n\t"
                     "vqrdmulh.s32 q0, q0, q2\n\t"
                     "vldrb.s32 q3, [%[shifts]], #4\n\t"
                     "vqrdmulh.s32 q1, q1, q2\n\t"
                     "vand q2, q0, q3\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vand q2, q1, q3\n\t"
                     "vrshl.s32 q0, q0, q3\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vadd.i32 q0, q0, %[zero_point]\n\t"
                     "vadd.i32 q1, q1, q2\n\t"
                     "vmax.s32 q0, q0, %q[low]\n\t"
                     "vmin.s32 q0, q0, %q[high]\n\t"
                     "vrshl.s32 q1, q1, q3\n\t"
                     "vstrb.32 q0, [%[output]], #4\n\t"
                     "vadd.i32 q1, q1, %[zero_point]\n\t"
                     "vmax.s32 q1, q1, %q[low]\n\t"
                     "vmin.s32 q1, q1, %q[high]\n\t"
                     "vstrb.32 q1, [%[other]], #4\n\t"
                     "letp lr, 1b"
                     : [sums] "+r"(sums), [others] "+r"(others), [bias] "+r"(bias),
                       [multipliers] "+r"(multipliers), [shifts] "+l"(shifts),
                       [output] "+l"(output), [other] "+l"(other)
                     : [count] "r"(count), [low] "w"(low), [high] "w"(high),
                       [zero_point] "r"(finish->zero_point)
                     : "lr", "q0", "q1", "q2", "q3", "memory");
}

/* A column from what lies in a band from `from` on. */
static inline void take_column(const ear_conv_mve_t *params, const int8_t *from, int32_t row,
                               int8_t *column)
{
    const uint8_t *places = params->places;
    const int16_t *starts = params->starts;
    const int8_t *start;
    __asm__ volatile("dls lr, %[vectors]\n"
                     "1:\n\t"
                     "ldrsh %[start], [%[starts]], #2\n\t"
                     "vldrb.8 q0, [%[places]], #16\n\t"
                     "add %[start], %[start], %[from]\n\t"
                     "vldrb.u8 q1, [%[start], q0]\n\t"
                     "vstrb.8 q1, [%[column]], #16\n\t"
                     "le lr, 1b"
                     : [starts] "+r"(starts), [places] "+r"(places), [column] "+r"(column),
                       [start] "=&r"(start)
                     : [from] "r"(from), [vectors] "r"(row / EAR_MVE_BYTES)
                     : "lr", "q0", "q1", "memory");
}

#else

static int32_t one_sum(const int8_t *column, const int8_t *weights, int32_t row, int32_t sum)
{
    int32_t products = 0;
    for (int32_t i = 0; i < row; ++i) {
        products += weights[i] * column[i];
    }
    return ear_wrapping_sum(sum, products);
}

static void one_column(const int8_t *column, const int8_t *weights, int32_t row, int32_t count,
                       const int32_t *bias, int32_t *sums)
{
    for (int32_t done = 0; done < count; ++done, weights += row) {
        sums[done] = one_sum(column, weights, row, bias[done]);
    }
}

static void finish_two(const ear_mve_finish_t *finish, int32_t first, int32_t count,
                       const int32_t *bias, const int32_t *sums, int8_t *output, int8_t *other)
{
    int32_t biased[2][EAR_SUMS_MOST];
    for (int32_t i = 0; i < count; ++i) {
        biased[0][i] = ear_wrapping_sum(sums[i], bias[first + i]);
        biased[1][i] = ear_wrapping_sum(sums[EAR_SUMS_MOST + i], bias[first + i]);
    }
    ear_mve_finish(finish, first, count, biased[0], output);
    ear_mve_finish(finish, first, count, biased[1], other);
}

static void take_column(const ear_conv_mve_t *params, const int8_t *from, int32_t row,
                        int8_t *column)
{
    for (int32_t i = 0; i < row; ++i) {
        column[i] = from[params->starts[i / EAR_MVE_BYTES] + params->places[i]];
    }
}

#endif

/* What lies under the filter at (y, x) of the input, the zero point where that is outside. */
static void gather_clipped(const ear_conv_mve_t *params, const ear_dims_t *input_dims,
                           const int8_t *image, const ear_dims_t *filter_dims, int32_t y,
                           int32_t x, int8_t *column)
{
    const int32_t depth = input_dims->c;
    const int32_t run = filter_dims->w * depth;
    const ear_span_t rows =
        ear_taps_inside(y, filter_dims->h, params->dilation_h, input_dims->h);
    const ear_span_t taps =
        ear_taps_inside(x, filter_dims->w, params->dilation_w, input_dims->w);
    const int32_t inside = taps.end - taps.first;
    if (rows.end - rows.first < filter_dims->h || inside < filter_dims->w) {
        ear_mve_fill(column, (int8_t)-params->input_offset, filter_dims->h * run);
    }
    if (inside <= 0) {
        return;
    }
    const int32_t together = params->dilation_w == 1 ? inside : 1;
    const int8_t *from = image + ((y + rows.first * params->dilation_h) * input_dims->w + x +
                                  taps.first * params->dilation_w) *
                                     depth;
    column += rows.first * run + taps.first * depth;
    for (int32_t row = rows.first; row < rows.end; ++row, column += run) {
        for (int32_t tap = 0; tap < inside; tap += together) {
            ear_mve_copy(column + tap * depth, from + tap * params->dilation_w * depth,
                         together * depth);
        }
        from += params->dilation_h * input_dims->w * depth;
    }
}

static inline void gather(const ear_conv_mve_t *params, const ear_dims_t *input_dims,
                          const int8_t *image, const ear_dims_t *filter_dims, int32_t y,
                          int32_t x, int8_t *column)
{
    const int32_t depth = input_dims->c;
    const int32_t run = filter_dims->w * depth;
    const int32_t bottom = y + (filter_dims->h - 1) * params->dilation_h;
    const int32_t right = x + (filter_dims->w - 1) * params->dilation_w;
    const bool is_inside = y >= 0 && x >= 0 && bottom < input_dims->h && right < input_dims->w;
    if (!is_inside || right - x >= filter_dims->w) {
        gather_clipped(params, input_dims, image, filter_dims, y, x, column);
        return;
    }
    const int8_t *from = image + (y * input_dims->w + x) * depth;
    for (int32_t row = filter_dims->h; row > 0; --row, column += run) {
        ear_mve_copy(column, from, run);
        from += params->dilation_h * input_dims->w * depth;
    }
}

static band_t make_band(const ear_conv_mve_t *params, const ear_dims_t *input_dims,
                        const ear_dims_t *filter_dims, int8_t *values)
{
    const int32_t start = params->pad_w * input_dims->c;
    const int32_t all = input_dims->w * input_dims->c;
    const int32_t room = params->band_row - start;
    const band_t band = {values, params->band_row, filter_dims->h, start, all < room ? all : room};
    const int32_t bytes = band.rows * band.row;
    ear_mve_fill(values, (int8_t)-params->input_offset, bytes);
    ear_mve_fill(values + bytes, 0, params->band_bytes - bytes);
    return band;
}

static void fill_band(const ear_conv_mve_t *params, const ear_dims_t *input_dims,
                      const int8_t *image, int32_t y, const band_t *band)
{
    int8_t *to = band->values + band->start;
    for (int32_t row = 0; row < band->rows; ++row, y += params->dilation_h, to += band->row) {
        if (y >= 0 && y < input_dims->h) {
            ear_mve_copy(to, image + y * input_dims->w * input_dims->c, band->inside);
        } else {
            ear_mve_fill(to, (int8_t)-params->input_offset, band->inside);
        }
    }
}

/* The channels of a block at one position. */
static void finish_column(const layer_t *layer, const block_t *block, const int8_t *column,
                          int8_t *output)
{
    int32_t sums[EAR_SUMS_MOST];
    for (int32_t done = 0; done < block->count; done += EAR_SUMS_MOST) {
        const int32_t rest = block->count - done;
        const int32_t count = rest < EAR_SUMS_MOST ? rest : EAR_SUMS_MOST;
        const int32_t first = block->first + done;
        one_column(column, block->weights + done * block->row, block->row, count,
                   layer->bias + first, sums);
        ear_mve_finish(&layer->finish, first, count, sums, output + first);
    }
}

/* The channels of a block at two positions, whose columns are adjacent. */
static void finish_columns(const layer_t *layer, const block_t *block, const int8_t *columns,
                           int8_t *output)
{
    int32_t sums[2 * EAR_SUMS_MOST];
    const int32_t row = block->row;
    const int8_t *weights = block->weights;
    for (int32_t done = 0; done < block->count; done += EAR_SUMS_MOST) {
        const int32_t rest = block->count - done;
        const int32_t count = rest < EAR_SUMS_MOST ? rest : EAR_SUMS_MOST;
        const int32_t first = block->first + done;
        if (count > 1) {
            layer->params->sums(columns, weights, row, count / 2, sums);
        }
        weights += count * row;
        if (count % 2 != 0) {
            sums[count - 1] = one_sum(columns, weights - row, row, 0);
            sums[EAR_SUMS_MOST + count - 1] = one_sum(columns + row, weights - row, row, 0);
        }
        int8_t *const to = output + first;
        finish_two(&layer->finish, first, count, layer->bias, sums, to, to + layer->channels);
    }
}

/* A row of positions whose columns are those of the input, one after the other. */
static void finish_row(const layer_t *layer, const block_t *block, const int8_t *input,
                       int32_t positions, int8_t *columns, int8_t *output)
{
    for (; positions >= 2; positions -= 2) {
        ear_mve_copy(columns, input, 2 * block->row);
        finish_columns(layer, block, columns, output);
        input += 2 * block->row;
        output += 2 * layer->channels;
    }
    if (positions != 0) {
        ear_mve_copy(columns, input, block->row);
        finish_column(layer, block, columns, output);
    }
}

void ear_conv2d_s8_mve(const ear_conv_mve_t *params, const ear_scales_t *scales,
                       const ear_dims_t *input_dims, const int8_t *input,
                       const ear_dims_t *filter_dims, const ear_weights_t *filter,
                       int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                       int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t depth = input_dims->c;
    const int32_t row = ear_mve_padded(filter_dims->h * filter_dims->w * depth);
    const int32_t step = ear_weights_block(filter, channels);
    const layer_t layer = {params, bias, channels,
                           {scales->multipliers, scales->shifts, params->output_offset,
                            params->output_min, params->output_max}};
    const bool is_row = row == depth && filter_dims->h * filter_dims->w == 1 &&
                        params->stride_w == 1 && output_dims->n * output_dims->h == 1;
    int8_t *const room = scratch + params->columns_bytes + params->band_bytes;
    band_t band = {0};
    if (params->columns_bytes != 0) {
        ear_mve_fill(scratch, 0, params->columns_bytes); /* what is behind a column stays 0 */
    }
    if (params->band_bytes != 0) {
        band = make_band(params, input_dims, filter_dims, scratch + params->columns_bytes);
    }
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const block_t block = {ear_weights_rows(filter, row, first, count, room), row, first,
                               count};
        if (params->columns_bytes == 0) {
            finish_column(&layer, &block, input, output);
            continue;
        }
        if (is_row) {
            finish_row(&layer, &block, input, output_dims->w, scratch, output);
            continue;
        }
        const int8_t *image = input;
        int8_t *to = output;
        int32_t made = 0;
        for (int32_t n = 0; n < output_dims->n; ++n) {
            for (int32_t y = 0; y < output_dims->h; ++y) {
                const int32_t top = y * params->stride_h - params->pad_h;
                if (params->band_bytes != 0) {
                    fill_band(params, input_dims, image, top, &band);
                }
                for (int32_t x = 0; x < output_dims->w; ++x) {
                    int8_t *const column = scratch + made * row;
                    if (params->band_bytes != 0) {
                        take_column(params, band.values + x * params->stride_w * depth, row,
                                    column);
                    } else {
                        gather(params, input_dims, image, filter_dims, top,
                               x * params->stride_w - params->pad_w, column);
                    }
                    if (++made == 2) {
                        finish_columns(&layer, &block, scratch, to);
                        to += 2 * channels;
                        made = 0;
                    }
                }
            }
            image += input_dims->h * input_dims->w * depth;
        }
        if (made != 0) {
            finish_column(&layer, &block, scratch, to);
        }
    }
}
