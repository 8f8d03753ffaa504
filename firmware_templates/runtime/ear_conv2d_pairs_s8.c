#include "ear_kernels_plain.h"

#include "ear_end_s8.h"
#include "ear_requantize.h"

/* Output positions made at once: two pairs. */
#define POSITIONS 4

/* The inputs under the filter at four positions. For each weight there are two words: the first
 * position's value + 2^16 * the second's, and so for the third and fourth, modulo 2^32. */
typedef struct {
    uint32_t *words;
    int32_t depth;
} columns_t;

/* Puts `count` values of position `number` where `words` points in its pair; `from` is stepped by
 * `step`, 0 for one value repeated. */
__attribute__((noinline)) static uint32_t *put(uint32_t *words, int32_t second,
                                               const int8_t *from, int32_t step, int32_t count)
{
    if (second != 0) {
        for (; count > 0; --count, from += step, words += 2) {
            *words += (uint32_t)*from << 16;
        }
    } else {
        for (; count > 0; --count, from += step, words += 2) {
            *words = (uint32_t)*from;
        }
    }
    return words;
}

/* Makes the column of output column `x` of the row whose taps inside the input are `rows`. */
static void column(const columns_t *columns, int32_t number, const ear_conv_t *params,
                   const ear_dims_t *input_dims, const int8_t *image,
                   const ear_dims_t *filter_dims, int32_t top, ear_span_t rows, int32_t x)
{
    const int8_t zero_point = (int8_t)-params->input_offset;
    const int32_t depth = input_dims->c;
    const int32_t left = x * params->stride_w - params->pad_w;
    const ear_span_t taps =
        ear_taps_inside(left, filter_dims->w, params->dilation_w, input_dims->w);
    const int32_t second = number & 1;
    uint32_t *to = columns->words + number / 2;
    for (int32_t row = 0; row < filter_dims->h; ++row) {
        if (row < rows.first || row >= rows.end || taps.first >= taps.end) {
            to = put(to, second, &zero_point, 0, filter_dims->w * depth);
            continue;
        }
        const int32_t y = top + row * params->dilation_h;
        const int8_t *from =
            image + (y * input_dims->w + left + taps.first * params->dilation_w) * depth;
        to = put(to, second, &zero_point, 0, taps.first * depth);
        if (params->dilation_w == 1) {
            to = put(to, second, from, 1, (taps.end - taps.first) * depth);
        } else {
            for (int32_t tap = taps.first; tap < taps.end; ++tap) {
                to = put(to, second, from, 1, depth);
                from += params->dilation_w * depth;
            }
        }
        to = put(to, second, &zero_point, 0, (filter_dims->w - taps.end) * depth);
    }
}

/* What is summed for two pairs of positions: products with both, and the upper halves of these. */
typedef struct {
    uint32_t both0;
    uint32_t upper0;
    uint32_t both1;
    uint32_t upper1;
} sums_t;

#if defined(__thumb2__)

/* Two weights at four positions, in 11 instructions: compilers take 17. */
#define TWO_WEIGHTS                                                                               \
    "ldmia %[words]!, {r8-r11}\n\t"                                                               \
    "ldrsb r12, [%[weights]], #1\n\t"                                                             \
    "mla r8, r8, r12, %[raise]\n\t"                                                               \
    "mla r9, r9, r12, %[raise]\n\t"                                                               \
    "ldrsb r12, [%[weights]], #1\n\t"                                                             \
    "mla r8, r10, r12, r8\n\t"                                                                    \
    "mla r9, r11, r12, r9\n\t"                                                                    \
    "add %[both0], %[both0], r8\n\t"                                                              \
    "add %[upper0], %[upper0], r8, lsr #16\n\t"                                                   \
    "add %[both1], %[both1], r9\n\t"                                                              \
    "add %[upper1], %[upper1], r9, lsr #16\n\t"

/* Sums over `eights` times eight weights, at least once. */
static inline void add_eights(const uint32_t **words, const int8_t **weights, int32_t eights,
                              sums_t *sums)
{
    __asm__ volatile("1:\n\t" /* */
                     TWO_WEIGHTS TWO_WEIGHTS TWO_WEIGHTS TWO_WEIGHTS
                     "subs %[eights], %[eights], #1\n\t"
                     "bne 1b"
                     : [words] "+r"(*words), [weights] "+r"(*weights), [eights] "+r"(eights),
                       [both0] "+r"(sums->both0), [upper0] "+r"(sums->upper0),
                       [both1] "+r"(sums->both1), [upper1] "+r"(sums->upper1)
                     : [raise] "r"(EAR_PAIRS_RAISE * 0x10001U)
                     : "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}

#endif

/* Sums of products at four positions, each with EAR_PAIRS_RAISE for each two weights. A product
 * with a pair is both products, the second 2^16 times; raised, two of them leave both halves of a
 * word positive, so that the upper half can be taken off. */
__attribute__((noinline)) static void four_sums(const uint32_t *words, const int8_t *weights,
                                                int32_t depth, int32_t start, int32_t made[4])
{
    const uint32_t raise = EAR_PAIRS_RAISE * 0x10001U;
    sums_t sums = {0, 0, 0, 0};
#if defined(__thumb2__)
    if (depth >= 8) {
        add_eights(&words, &weights, depth / 8, &sums);
        depth %= 8;
    }
#endif
    for (; depth >= 2; depth -= 2, words += 4, weights += 2) {
        const uint32_t weight0 = (uint32_t)weights[0];
        const uint32_t weight1 = (uint32_t)weights[1];
        const uint32_t pair0 = words[2] * weight1 + (words[0] * weight0 + raise);
        const uint32_t pair1 = words[3] * weight1 + (words[1] * weight0 + raise);
        sums.both0 += pair0;
        sums.both1 += pair1;
        sums.upper0 += pair0 >> 16;
        sums.upper1 += pair1 >> 16;
    }
    if (depth != 0) {
        const uint32_t weight = (uint32_t)weights[0];
        const uint32_t pair0 = words[0] * weight + raise;
        const uint32_t pair1 = words[1] * weight + raise;
        sums.both0 += pair0;
        sums.both1 += pair1;
        sums.upper0 += pair0 >> 16;
        sums.upper1 += pair1 >> 16;
    }
    made[0] = ear_wrapping_sum(start, (int32_t)(sums.both0 - (sums.upper0 << 16)));
    made[1] = ear_wrapping_sum(start, (int32_t)sums.upper0);
    made[2] = ear_wrapping_sum(start, (int32_t)(sums.both1 - (sums.upper1 << 16)));
    made[3] = ear_wrapping_sum(start, (int32_t)sums.upper1);
}

/* A block of output channels, its weights unpacked. */
typedef struct {
    const int8_t *filter;
    int32_t first;
    int32_t end;
} block_t;

/* The channels of a block at `count` positions, the first of which has its channels at `output`. */
static void products(const ear_conv_t *params, const ear_scales_t *scales,
                     const columns_t *columns, const block_t *block, const int32_t *starts,
                     int32_t count, int8_t *output, int32_t step)
{
    const int32_t zero_point = params->output_offset;
    const int32_t low = params->output_min;
    const int32_t high = params->output_max;
    const int8_t *weights = block->filter;
    for (int32_t channel = block->first; channel < block->end; ++channel) {
        int32_t sums[4];
        four_sums(columns->words, weights, columns->depth, starts[channel], sums);
        const ear_end_t end = ear_end_of(scales, channel, zero_point);
        if (count < POSITIONS) { /* the rest has no meaning, and could be too large to scale */
            for (int32_t i = count; i < POSITIONS; ++i) {
                sums[i] = 0;
            }
        }
        ear_end_put(sums, &end, low, high, count, output + channel, step);
        weights += columns->depth;
    }
}

void ear_conv2d_pairs_s8(const ear_conv_t *params, const ear_scales_t *scales,
                         const ear_dims_t *input_dims, const int8_t *input,
                         const ear_dims_t *filter_dims, const ear_weights_t *filter,
                         int8_t *scratch, const int32_t *starts, const ear_dims_t *output_dims,
                         int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    const columns_t columns = {(void *)scratch, filter_dims->h * filter_dims->w * filter_dims->c};
    const int32_t image = input_dims->h * input_dims->w * input_dims->c;
    block_t block = {0};
    for (block.first = 0; block.first < channels; block.first = block.end) {
        block.end = channels - block.first < step ? channels : block.first + step;
        block.filter = ear_weights_rows(filter, columns.depth, block.first,
                                        block.end - block.first, scratch + params->columns_bytes);
        int8_t *to = output;
        int32_t made = 0;
        for (int32_t row = 0; row < output_dims->n * output_dims->h; ++row) {
            const int8_t *const from = input + row / output_dims->h * image;
            const int32_t top = row % output_dims->h * params->stride_h - params->pad_h;
            const ear_span_t rows =
                ear_taps_inside(top, filter_dims->h, params->dilation_h, input_dims->h);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                column(&columns, made++, params, input_dims, from, filter_dims, top, rows, x);
                if (made == POSITIONS) {
                    products(params, scales, &columns, &block, starts, made, to, channels);
                    to += POSITIONS * channels;
                    made = 0;
                }
            }
        }
        if (made > 0) {
            products(params, scales, &columns, &block, starts, made, to, channels);
        }
    }
}
