#include "ear_svdf.h"

#include "ear_dot_s8.h"

#include <string.h>

typedef struct {
    void *values;
    bool wide;
} state_t;

/* The newest values of `count` filters, at most 4, from the sums of their products. */
static void store(const ear_svdf_t *params, state_t state, int32_t filter, int32_t count,
                  const int32_t *sums)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = ear_scale(sums[i], params->feature_multiplier, params->feature_shift);
        const int32_t at = (filter + i + 1) * params->memory - 1;
        if (state.wide) {
            const int32_t clamped = ear_clamp(value, INT16_MIN, INT16_MAX);
            ((int16_t *)state.values)[at] = (int16_t)clamped;
        } else {
            /* The zero point comes after the clamp, so that the value may wrap. */
            const int32_t clamped = ear_clamp(value, INT8_MIN, INT8_MAX);
            ((int8_t *)state.values)[at] = (int8_t)(params->state_zero_point + clamped);
        }
    }
}

/* Filters first to end - 1 of one batch, whose weights are `rows`. */
static void features(const ear_svdf_t *params, const int8_t *input, const int8_t *rows,
                     state_t state, int32_t first, int32_t end)
{
    const int32_t inputs = params->inputs;
    int32_t filter = first;
    for (; filter + 4 <= end; filter += 4, rows += 4 * inputs) {
        int32_t sums[4] = {0, 0, 0, 0};
        ear_dot4_s8(input, params->input_offset, rows, inputs, inputs, sums);
        store(params, state, filter, 4, sums);
    }
    for (; filter < end; ++filter, rows += inputs) {
        const int32_t sum = ear_dot_s8(input, params->input_offset, rows, inputs);
        store(params, state, filter, 1, &sum);
    }
}

/* Moves `bytes` bytes that lie `by` behind their new place. The C library's memmove may go byte by
 * byte. */
static void move_down(char *to, size_t by, size_t bytes)
{
    for (; bytes >= 2 * sizeof(uint32_t); bytes -= 2 * sizeof(uint32_t)) {
        uint32_t words[2];
        memcpy(words, to + by, sizeof words);
        memcpy(to, words, sizeof words);
        to += sizeof words;
    }
    for (; bytes > 0; --bytes, ++to) {
        *to = to[by];
    }
}

void ear_svdf_remember(const ear_svdf_t *params, const int8_t *input,
                       const ear_weights_t *feature, int8_t *scratch, void *state, bool wide)
{
    const int32_t filters = params->filters;
    const size_t value_bytes = wide ? sizeof(int16_t) : sizeof(int8_t);
    const size_t batch_bytes = (size_t)(filters * params->memory) * value_bytes;
    /* All at once: what comes from the next filter is then written over. */
    move_down(state, value_bytes, (size_t)params->batches * batch_bytes - value_bytes);
    const int32_t step = ear_weights_block(feature, filters);
    for (int32_t first = 0; first < filters; first += step) {
        const int32_t end = filters - first < step ? filters : first + step;
        const int8_t *const rows =
            ear_weights_rows(feature, params->inputs, first, end - first, scratch);
        for (int32_t batch = 0; batch < params->batches; ++batch) {
            const state_t part = {(char *)state + (size_t)batch * batch_bytes, wide};
            features(params, input + batch * params->inputs, rows, part, first, end);
        }
    }
}
