#include "ear_kernels_depthwise_dsp.h"

#include <string.h>

#include "ear_dsp_pairs.h"

/* Weights, doubled, for a pair of rows: of an output row, and of the next one. */
typedef struct {
    uint32_t first;
    uint32_t second;
} taps_t;

/* How the sums of a channel begin and end. */
typedef struct {
    int32_t bias; /* doubled */
    int32_t multiplier;
    int32_t end;
    int32_t right;
} channel_t;

/* What all channels share; steps in elements. */
typedef struct {
    const ear_depthwise_dsp_t *params;
    int32_t filter_h;
    int32_t filter_w;
    int32_t input_row;
    int32_t input_column;
    int32_t output_row;
    int32_t output_column;
    int32_t height;
    int32_t width;
    uint32_t *planes; /* two, one behind the other */
    taps_t *taps;
} layer_t;

static inline int32_t scaled(int32_t doubled, const channel_t *channel, bool positive)
{
    int32_t high;
    if (positive) {
        high = ear_pair_multiply_high_add(doubled, channel->multiplier, channel->end);
    } else {
        high = ear_pair_multiply_high(doubled, channel->multiplier);
        high += (high >> 31) + channel->end;
    }
    return ear_pair_saturate8(high >> channel->right);
}

/* Two channels, side by side in the input, of two rows `step` apart. */
static inline void gather_four(const int8_t *from, int32_t step, uint32_t *to, int32_t other)
{
    uint16_t upper;
    uint16_t lower;
    memcpy(&upper, from, sizeof upper);
    memcpy(&lower, from + step, sizeof lower);
    const uint32_t quad = upper | (uint32_t)lower << 16;
    to[0] = ear_pair_even(quad);
    to[other] = ear_pair_odd(quad);
}

/* Two channels of one row, with padding above or below it. */
static inline void gather_two(const int8_t *from, int32_t padding, bool above, uint32_t *to,
                              int32_t other)
{
    to[0] = above ? ear_pair(padding, from[0]) : ear_pair(from[0], padding);
    to[other] = above ? ear_pair(padding, from[1]) : ear_pair(from[1], padding);
}

/* Two channels of the input to planes. */
static void gather(const layer_t *layer, const int8_t *input)
{
    const ear_depthwise_dsp_t *const params = layer->params;
    const int32_t step = layer->input_row;
    const int32_t width = params->width;
    const int32_t other = params->pair_rows * width;
    const int32_t odd = params->pad_h & 1;
    uint32_t *column = layer->planes + params->pad_h / 2 * width + params->pad_w;
    for (int32_t x = 0; x < params->columns; ++x) {
        const int8_t *from = input;
        uint32_t *to = column;
        int32_t left = params->rows;
        if (odd) {
            gather_two(from, params->padding, true, to, other);
            from += step;
            to += width;
            --left;
        }
        for (; left >= 4; left -= 4) {
            gather_four(from, step, to, other);
            from += 2 * step;
            to += width;
            gather_four(from, step, to, other);
            from += 2 * step;
            to += width;
        }
        if (left >= 2) {
            gather_four(from, step, to, other);
            from += 2 * step;
            to += width;
        }
        if (left & 1) {
            gather_two(from, params->padding, false, to, other);
        }
        input += layer->input_column;
        ++column;
    }
}

/* The same for one channel. */
static void gather_last(const layer_t *layer, const int8_t *input)
{
    const ear_depthwise_dsp_t *const params = layer->params;
    int8_t *const plane = (int8_t *)layer->planes;
    for (int32_t y = 0; y < params->rows; ++y) {
        const int32_t row = y + params->pad_h;
        int8_t *to = plane + 4 * (row / 2 * params->width + params->pad_w) + row % 2 * 2;
        const int8_t *from = input + y * layer->input_row;
        for (int32_t x = 0; x < params->columns; ++x) {
            const int16_t value = *from;
            memcpy(to, &value, sizeof value);
            to += 4;
            from += layer->input_column;
        }
    }
}

/* The weights of a channel, `step` elements from tap to tap. */
static void widen(const layer_t *layer, const int8_t *filter, int32_t step)
{
    const int32_t row_step = layer->filter_w * step;
    const bool apart = layer->params->second != 0;
    taps_t *taps = layer->taps;
    for (int32_t pair = 0; pair < layer->params->taps_h; ++pair) {
        const int32_t row = 2 * pair;
        const int8_t *from = filter + row * row_step;
        for (int32_t x = 0; x < layer->filter_w; ++x) {
            const int32_t before = row > 0 ? 2 * from[-row_step] : 0;
            const int32_t at = row < layer->filter_h ? 2 * from[0] : 0;
            const int32_t behind = row + 1 < layer->filter_h ? 2 * from[row_step] : 0;
            taps->first = ear_pair(at, behind);
            taps->second = apart ? taps->first : ear_pair(before, at);
            ++taps;
            from += step;
        }
    }
}

/* A 3 x 3 filter with strides of 1. */
static inline void by_3x3(const layer_t *layer, const uint32_t *plane, const channel_t *channel,
                          bool positive, int8_t *output)
{
    const taps_t *const taps = layer->taps;
    const uint32_t upper0 = taps[0].first;
    const uint32_t upper1 = taps[1].first;
    const uint32_t upper2 = taps[2].first;
    const uint32_t lower0 = taps[3].second;
    const uint32_t lower1 = taps[4].second;
    const uint32_t lower2 = taps[5].second;
    const int32_t column = layer->output_column;
    for (int32_t left = layer->height; left > 0; left -= 2) {
        const uint32_t *below = plane + layer->params->width;
        /* A second row that is not there is written first, where the first one is then. */
        const int32_t second = left > 1 ? layer->output_row : 0;
        int8_t *to = output;
        for (const uint32_t *const end = plane + layer->width; plane < end; ++plane) {
            int32_t sum0 = channel->bias;
            int32_t sum1 = sum0;
            sum0 = ear_pair_products(plane[0], upper0, sum0);
            sum1 = ear_pair_low_high(upper0, plane[0], sum1);
            sum0 = ear_pair_products(plane[1], upper1, sum0);
            sum1 = ear_pair_low_high(upper1, plane[1], sum1);
            sum0 = ear_pair_products(plane[2], upper2, sum0);
            sum1 = ear_pair_low_high(upper2, plane[2], sum1);
            sum0 = ear_pair_low_high(below[0], lower0, sum0);
            sum1 = ear_pair_products(below[0], lower0, sum1);
            sum0 = ear_pair_low_high(below[1], lower1, sum0);
            sum1 = ear_pair_products(below[1], lower1, sum1);
            sum0 = ear_pair_low_high(below[2], lower2, sum0);
            sum1 = ear_pair_products(below[2], lower2, sum1);
            ++below;
            to[second] = (int8_t)scaled(sum1, channel, positive);
            to[0] = (int8_t)scaled(sum0, channel, positive);
            to += column;
        }
        plane += layer->params->width - layer->width;
        output += 2 * layer->output_row;
    }
}

#if EAR_DSP
/* What the loop below loads in turn, by as few instructions as there are groups. */
typedef struct {
    uint32_t upper[3];
    int32_t bias;
    uint32_t lower[3];
    int32_t multiplier;
    int32_t end;
    int32_t right;
    const uint32_t *plane_end;
    int32_t output_column;
} steps_t;

/* As by_3x3, for results that need no exact rounding below the zero point. In assembly, because a
 * compiler that keeps as many values as it can in registers has none left for what changes. */
static void by_3x3_positive(const layer_t *layer, const uint32_t *plane, const channel_t *channel,
                            int8_t *output)
{
    const taps_t *const taps = layer->taps;
    const int32_t row = layer->output_row;
    const int32_t width = layer->width;
    const int32_t gap = layer->params->width - width;
    steps_t steps = {
        .upper = {taps[0].first, taps[1].first, taps[2].first},
        .bias = channel->bias,
        .lower = {taps[3].second, taps[4].second, taps[5].second},
        .multiplier = channel->multiplier,
        .end = channel->end,
        .right = channel->right,
        .output_column = layer->output_column,
    };
    const steps_t *step = &steps;
    const uint32_t *below = plane + layer->params->width;
    for (int32_t left = layer->height; left > 0; left -= 2) {
        /* A second row that is not there is written first, where the first one is then. */
        const int32_t second = left > 1 ? row : 0;
        steps.plane_end = plane + width;
        __asm__ volatile("1:\n\t"
                         "ldmia %[step]!, {r4, r5, r6, r11}\n\t"
                         "ldmia %[plane], {r8, r9, r10}\n\t"
                         "adds %[plane], %[plane], #4\n\t"
                         "smlad r12, r8, r4, r11\n\t"
                         "smlatb r11, r8, r4, r11\n\t"
                         "smlad r12, r9, r5, r12\n\t"
                         "smlatb r11, r9, r5, r11\n\t"
                         "smlad r12, r10, r6, r12\n\t"
                         "smlatb r11, r10, r6, r11\n\t"
                         "ldmia %[step]!, {r4, r5, r6}\n\t"
                         "ldmia %[below], {r8, r9, r10}\n\t"
                         "adds %[below], %[below], #4\n\t"
                         "smlabt r12, r8, r4, r12\n\t"
                         "smlad r11, r8, r4, r11\n\t"
                         "smlabt r12, r9, r5, r12\n\t"
                         "smlad r11, r9, r5, r11\n\t"
                         "smlabt r12, r10, r6, r12\n\t"
                         "smlad r11, r10, r6, r11\n\t"
                         "ldmia %[step]!, {r4, r5, r6, r8, r9}\n\t"
                         "subs %[step], %[step], #48\n\t"
                         "smmlar r11, r11, r4, r5\n\t"
                         "smmlar r12, r12, r4, r5\n\t"
                         "asr r11, r11, r6\n\t"
                         "asr r12, r12, r6\n\t"
                         "ssat r11, #8, r11\n\t"
                         "ssat r12, #8, r12\n\t"
                         "strb r11, [%[to], %[second]]\n\t"
                         "strb r12, [%[to]]\n\t"
                         "add %[to], r9\n\t"
                         "cmp %[plane], r8\n\t"
                         "bne 1b"
                         : [step] "+l"(step), [plane] "+l"(plane), [below] "+l"(below),
                           [to] "+r"(output)
                         : [second] "r"(second)
                         : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
        plane += gap;
        below += gap;
        output += 2 * row - width * layer->output_column;
    }
}
#endif

/* A filter that spans the plane's width: its taps are one run, and outputs one column. Not inline:
 * its loop takes most registers of a Cortex-M, and inside other functions gets too few. */
static __attribute__((noinline)) void by_run(const layer_t *layer, const uint32_t *plane,
                                             const channel_t *channel, int8_t *output)
{
    const ear_depthwise_dsp_t *const params = layer->params;
    const channel_t end = *channel;
    const taps_t *const taps_end = layer->taps + params->taps_h * layer->filter_w;
    const int32_t apart = params->second * params->width;
    const int32_t step = params->step * params->width;
    const int32_t row = layer->output_row;
    for (int32_t left = layer->height; left > 0; left -= 2) {
        const uint32_t *from = plane;
        const taps_t *taps = layer->taps;
        int32_t sum0 = end.bias;
        int32_t sum1 = end.bias;
        do {
            sum0 = ear_pair_products(from[0], taps->first, sum0);
            sum1 = ear_pair_products(from[apart], taps->second, sum1);
            ++from;
            ++taps;
        } while (taps < taps_end);
        output[left > 1 ? row : 0] = (int8_t)scaled(sum1, &end, false);
        output[0] = (int8_t)scaled(sum0, &end, false);
        plane += step;
        output += 2 * row;
    }
}

static __attribute__((noinline)) void convolve(const layer_t *layer, const uint32_t *plane,
                                               const channel_t *channel, int8_t *output)
{
    const ear_depthwise_dsp_t *const params = layer->params;
    if (layer->width == 1 && params->width == layer->filter_w) {
        by_run(layer, plane, channel, output);
    } else if (params->positive) {
#if EAR_DSP
        by_3x3_positive(layer, plane, channel, output);
#else
        by_3x3(layer, plane, channel, true, output);
#endif
    } else {
        by_3x3(layer, plane, channel, false, output);
    }
}

static channel_t channel_of(const ear_depthwise_dsp_t *params, const ear_scales_t *scales,
                            const int32_t *bias, int32_t index)
{
    const int32_t right = -scales->shifts[index * scales->step];
    const channel_t channel = {
        .bias = (int32_t)((uint32_t)bias[index] << 1),
        .multiplier = scales->multipliers[index * scales->step],
        .end = (int32_t)((uint32_t)(2 * params->output_offset + 1) << (right - 1)),
        .right = right,
    };
    return channel;
}

static void clamp(const ear_depthwise_dsp_t *params, int32_t count, int8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i] = (int8_t)ear_clamp(output[i], params->output_min, params->output_max);
    }
}

void ear_depthwise_conv2d_s8_dsp(const ear_depthwise_dsp_t *params, const ear_scales_t *scales,
                                 const ear_dims_t *input_dims, const int8_t *input,
                                 const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                 void *scratch, const int32_t *bias,
                                 const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t plane = params->pair_rows * params->width;
    const layer_t layer = {
        .params = params,
        .filter_h = filter_dims->h,
        .filter_w = filter_dims->w,
        .input_row = input_dims->w * channels,
        .input_column = channels,
        .output_row = output_dims->w * channels,
        .output_column = channels,
        .height = output_dims->h,
        .width = output_dims->w,
        .planes = scratch,
        .taps = (taps_t *)scratch + plane,
    };
    int8_t *const unpacked = (int8_t *)(layer.taps + params->taps_h * layer.filter_w);
    for (int32_t i = 0; i < 2 * plane; ++i) {
        layer.planes[i] = ear_pair(params->padding, params->padding);
    }
    const int32_t block = ear_weights_block(filter, channels);
    const int32_t image = input_dims->h * layer.input_row;
    const int32_t result = output_dims->h * layer.output_row;
    for (int32_t first = 0; first < channels; first += block) {
        const int32_t count = channels - first < block ? channels - first : block;
        const int8_t *const weights =
            ear_weights_rows(filter, layer.filter_h * layer.filter_w, first, count, unpacked);
        for (int32_t n = 0; n < output_dims->n; ++n) {
            for (int32_t done = 0; done < count; ++done) {
                const int32_t index = first + done;
                if (done % 2 == 0 && done + 1 < count) {
                    gather(&layer, input + n * image + index);
                } else if (done % 2 == 0) {
                    gather_last(&layer, input + n * image + index);
                }
                const channel_t channel = channel_of(params, scales, bias, index);
                widen(&layer, weights + done, count);
                convolve(&layer, layer.planes + done % 2 * plane, &channel,
                         output + n * result + index);
            }
        }
    }
    if (params->output_min > INT8_MIN || params->output_max < INT8_MAX) {
        clamp(params, output_dims->n * result, output);
    }
}
