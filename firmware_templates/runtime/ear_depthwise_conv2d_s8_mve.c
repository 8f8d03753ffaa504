#include "ear_kernels_mve.h"

#include "ear_mve.h"

enum { GROUP = 32 }; /* channels whose sums are on the stack at a time; a multiple of 8 */

/* Taps of a position, inside the input or not; `others` of the filter are outside. */
typedef struct {
    int32_t inside;
    int32_t outside;
    const int32_t *input_at;  /* of the taps inside: from the first channel of the image on */
    const int32_t *filter_at; /* of those inside, then of the others */
    int32_t zero_point;
} taps_t;

#if EAR_MVE

/* Sums of 8 channels: those of even number in q0, those of odd number in q1. */
static inline void eight_sums(const taps_t *taps, const int8_t *input, const int8_t *filter,
                              const int32_t *bias, int32_t *sums)
{
    const int32_t *input_at = taps->input_at;
    const int32_t *filter_at = taps->filter_at;
    const int8_t *from;
    const int8_t *by;
    __asm__ volatile("vld20.32 {q0, q1}, [%[bias]]\n\t"
                     "vld21.32 {q0, q1}, [%[bias]]\n\t"
                     "wls lr, %[inside], 2f\n"
                     "1:\n\t"
                     "ldr %[from], [%[input_at]], #4\n\t"
                     "ldr %[by], [%[filter_at]], #4\n\t"
                     "add %[from], %[from], %[input]\n\t"
                     "add %[by], %[by], %[filter]\n\t"
                     "vldrb.s16 q2, [%[from]]\n\t"
                     "vldrb.s16 q3, [%[by]]\n\t"
                     "vmullb.s16 q4, q2, q3\n\t"
                     "vmullt.s16 q5, q2, q3\n\t"
                     "vadd.i32 q0, q0, q4\n\t"
                     "vadd.i32 q1, q1, q5\n\t"
                     "le lr, 1b\n"
                     "2:\n\t"
                     "wls lr, %[outside], 4f\n\t"
                     "vdup.16 q2, %[zero]\n"
                     "3:\n\t"
                     "ldr %[by], [%[filter_at]], #4\n\t"
                     "add %[by], %[by], %[filter]\n\t"
                     "vldrb.s16 q3, [%[by]]\n\t"
                     "vmullb.s16 q4, q2, q3\n\t"
                     "vmullt.s16 q5, q2, q3\n\t"
                     "vadd.i32 q0, q0, q4\n\t"
                     "vadd.i32 q1, q1, q5\n\t"
                     "le lr, 3b\n"
                     "4:\n\t"
                     "vst20.32 {q0, q1}, [%[sums]]\n\t"
                     "vst21.32 {q0, q1}, [%[sums]]"
                     : [input_at] "+r"(input_at), [filter_at] "+r"(filter_at),
                       [from] "=&l"(from), [by] "=&l"(by)
                     : [bias] "r"(bias), [sums] "r"(sums), [input] "r"(input),
                       [filter] "r"(filter), [inside] "r"(taps->inside),
                       [outside] "r"(taps->outside), [zero] "r"(taps->zero_point)
                     : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "memory");
}

static inline int32_t one_sum(const taps_t *taps, const int8_t *input, const int8_t *filter)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < taps->inside; ++i) {
        sum += input[taps->input_at[i]] * filter[taps->filter_at[i]];
    }
    for (int32_t i = 0; i < taps->outside; ++i) {
        sum += taps->zero_point * filter[taps->filter_at[taps->inside + i]];
    }
    return sum;
}

__attribute__((noinline)) static void sums_of(const taps_t *taps, const int8_t *input, const int8_t *filter, int32_t count,
                    const int32_t *bias, int32_t *sums)
{
    for (; count >= 8; count -= 8, input += 8, filter += 8, bias += 8, sums += 8) {
        eight_sums(taps, input, filter, bias, sums);
    }
    for (; count > 0; --count) {
        *sums++ = ear_wrapping_sum(*bias++, one_sum(taps, input++, filter++));
    }
}

#else

static void sums_of(const taps_t *taps, const int8_t *input, const int8_t *filter, int32_t count,
                    const int32_t *bias, int32_t *sums)
{
    for (int32_t channel = 0; channel < count; ++channel) {
        int32_t sum = 0;
        for (int32_t i = 0; i < taps->inside; ++i) {
            sum += input[taps->input_at[i] + channel] * filter[taps->filter_at[i] + channel];
        }
        for (int32_t i = 0; i < taps->outside; ++i) {
            sum += taps->zero_point * filter[taps->filter_at[taps->inside + i] + channel];
        }
        sums[channel] = ear_wrapping_sum(bias[channel], sum);
    }
}

#endif

/* Lists the taps at (y, x) of the input; filter steps are of `channels`. */
static taps_t taps_at(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const ear_dims_t *filter_dims, int32_t channels, int32_t y, int32_t x,
                      int32_t *lists)
{
    const int32_t all = filter_dims->h * filter_dims->w;
    int32_t *const filter_at = lists + all;
    int32_t inside = 0;
    int32_t other = all;
    int32_t weight = 0;
    for (int32_t fy = 0; fy < filter_dims->h; ++fy, y += params->dilation_h) {
        const bool is_row = y >= 0 && y < input_dims->h;
        int32_t column = x;
        for (int32_t fx = 0; fx < filter_dims->w; ++fx, column += params->dilation_w) {
            if (is_row && column >= 0 && column < input_dims->w) {
                lists[inside] = (y * input_dims->w + column) * input_dims->c;
                filter_at[inside++] = weight;
            } else {
                filter_at[--other] = weight;
            }
            weight += channels;
        }
    }
    const taps_t taps = {inside, all - inside, lists, filter_at, -params->input_offset};
    return taps;
}

void ear_depthwise_conv2d_s8_mve(const ear_conv_t *params, const ear_scales_t *scales,
                                 const ear_dims_t *input_dims, const int8_t *input,
                                 const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                 int8_t *scratch, const int32_t *bias,
                                 const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t image = input_dims->h * input_dims->w * channels;
    const int32_t step = ear_weights_block(filter, channels);
    const ear_mve_finish_t finish = {scales->multipliers, scales->shifts, params->output_offset,
                                     params->output_min, params->output_max};
    int32_t *const lists = (int32_t *)(void *)scratch;
    int8_t *const room = (int8_t *)(lists + 2 * filter_dims->h * filter_dims->w);
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const int8_t *const weights = ear_weights_rows(
            filter, filter_dims->h * filter_dims->w, first, count, room);
        int8_t *to = output + first;
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                const taps_t taps = taps_at(params, input_dims, filter_dims, count,
                                            y * params->stride_h - params->pad_h,
                                            x * params->stride_w - params->pad_w, lists);
                for (int32_t n = 0; n < output_dims->n; ++n) {
                    int8_t *const own = to + n * output_dims->h * output_dims->w * channels;
                    for (int32_t done = 0; done < count; done += GROUP) {
                        int32_t sums[GROUP];
                        const int32_t part = count - done < GROUP ? count - done : GROUP;
                        sums_of(&taps, input + n * image + first + done, weights + done, part,
                                bias + first + done, sums);
                        ear_mve_finish(&finish, first + done, part, sums, own + done);
                    }
                }
                to += channels;
            }
        }
    }
}
