#include "ear_kernels_mve.h"

#include "ear_mve.h"

enum { GROUP = 32 }; /* output channels whose sums are on the stack at a time */

/* A block of output channels, its weights unpacked. */
typedef struct {
    const int8_t *weights;
    int32_t row; /* weights of one channel */
    int32_t first;
    int32_t count;
} block_t;

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

/* In assembly: the compiler moves sums to even registers and back, which these must be in. */
__attribute__((noinline)) static void two_columns(const int8_t *columns, const int8_t *weights,
                                                  int32_t row, int32_t count,
                                                  const int32_t *bias, int32_t sums[2][GROUP])
{
    int32_t *to = sums[0];
    for (; count >= 2; count -= 2, bias += 2, to += 2) {
        const int8_t *one = columns;
        const int8_t *other = columns + row;
        const int8_t *next = weights + row;
        int32_t a = bias[0];
        int32_t b = bias[1];
        int32_t c = a;
        int32_t d = b;
        __asm__("lsr lr, %[row], #4\n\t"
                "dls lr, lr\n"
                "1:\n\t"
                "vldrb.8 q0, [%[weights]], #16\n\t"
                "vldrb.8 q2, [%[one]], #16\n\t"
                "vmladava.s8 %[a], q0, q2\n\t"
                "vldrb.8 q1, [%[next]], #16\n\t"
                "vmladava.s8 %[b], q1, q2\n\t"
                "vldrb.8 q3, [%[other]], #16\n\t"
                "vmladava.s8 %[c], q0, q3\n\t"
                "vmladava.s8 %[d], q1, q3\n\t"
                "le lr, 1b"
                : [weights] "+r"(weights), [next] "+r"(next), [one] "+r"(one),
                  [other] "+r"(other), [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d)
                : [row] "r"(row)
                : "lr", "q0", "q1", "q2", "q3", "memory");
        to[0] = a;
        to[1] = b;
        to[GROUP] = c;
        to[GROUP + 1] = d;
        weights = next;
    }
    if (count != 0) {
        to[0] = one_sum(columns, weights, row, bias[0]);
        to[GROUP] = one_sum(columns + row, weights, row, bias[0]);
    }
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

#else

static void one_column(const int8_t *column, const int8_t *weights, int32_t row, int32_t count,
                       const int32_t *bias, int32_t *sums)
{
    for (int32_t done = 0; done < count; ++done, weights += row) {
        int32_t sum = 0;
        for (int32_t i = 0; i < row; ++i) {
            sum += weights[i] * column[i];
        }
        sums[done] = ear_wrapping_sum(bias[done], sum);
    }
}

static void two_columns(const int8_t *columns, const int8_t *weights, int32_t row, int32_t count,
                        const int32_t *bias, int32_t sums[2][GROUP])
{
    one_column(columns, weights, row, count, bias, sums[0]);
    one_column(columns + row, weights, row, count, bias, sums[1]);
}

#endif

/* What lies under the filter at (y, x) of the input, the zero point where that is outside. */
static void gather(const ear_conv_t *params, const ear_dims_t *input_dims, const int8_t *image,
                   const ear_dims_t *filter_dims, int32_t y, int32_t x, int8_t *column)
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

/* The channels of a block at `positions` of 1 or 2 in adjacent columns. */
static void finish_block(const block_t *block, const int8_t *columns, int32_t positions,
                         const int32_t *bias, const ear_mve_finish_t *finish, int32_t channels,
                         int8_t *output)
{
    int32_t sums[2][GROUP];
    for (int32_t done = 0; done < block->count; done += GROUP) {
        const int32_t rest = block->count - done;
        const int32_t count = rest < GROUP ? rest : GROUP;
        const int32_t first = block->first + done;
        const int8_t *const weights = block->weights + done * block->row;
        if (positions == 2) {
            two_columns(columns, weights, block->row, count, bias + first, sums);
            ear_mve_finish(finish, first, count, sums[1], output + channels + first);
        } else {
            one_column(columns, weights, block->row, count, bias + first, sums[0]);
        }
        ear_mve_finish(finish, first, count, sums[0], output + first);
    }
}

void ear_conv2d_s8_mve(const ear_conv_t *params, const ear_scales_t *scales,
                       const ear_dims_t *input_dims, const int8_t *input,
                       const ear_dims_t *filter_dims, const ear_weights_t *filter,
                       int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                       int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t row = ear_mve_padded(filter_dims->h * filter_dims->w * filter_dims->c);
    const int32_t step = ear_weights_block(filter, channels);
    const ear_mve_finish_t finish = {scales->multipliers, scales->shifts, params->output_offset,
                                     params->output_min, params->output_max};
    int8_t *const room = scratch + params->columns_bytes;
    if (params->columns_bytes != 0) {
        ear_mve_fill(scratch, 0, params->columns_bytes); /* what is behind a column stays 0 */
    }
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const block_t block = {ear_weights_rows(filter, row, first, count, room), row, first,
                               count};
        if (params->columns_bytes == 0) {
            finish_block(&block, input, 1, bias, &finish, channels, output);
            continue;
        }
        const int8_t *image = input;
        int8_t *to = output;
        for (int32_t n = 0; n < output_dims->n; ++n) {
            for (int32_t y = 0; y < output_dims->h; ++y) {
                const int32_t top = y * params->stride_h - params->pad_h;
                for (int32_t x = 0; x < output_dims->w; x += 2) {
                    const int32_t left = x * params->stride_w - params->pad_w;
                    const int32_t positions = output_dims->w - x < 2 ? 1 : 2;
                    gather(params, input_dims, image, filter_dims, top, left, scratch);
                    if (positions == 2) {
                        gather(params, input_dims, image, filter_dims, top,
                               left + params->stride_w, scratch + row);
                    }
                    finish_block(&block, scratch, positions, bias, &finish, channels, to);
                    to += positions * channels;
                }
            }
            image += input_dims->h * input_dims->w * input_dims->c;
        }
    }
}
