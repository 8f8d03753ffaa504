#include "ear_kernels_mve.h"

#include "ear_mve.h"
#include "ear_svdf.h"

enum { GROUP = 32 }; /* sums on the stack at a time */

#if EAR_MVE

/* Drops the first of `count` values. */
static void move_down(int16_t *values, int32_t count)
{
    for (int32_t left = count - 1; left > 0; left -= 8, values += 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)left);
        vstrhq_p_s16(values, vldrhq_z_s16(values + 1, lanes), lanes);
    }
}

static inline void four_sums(const int8_t *input, const int8_t *first, int32_t inputs,
                             const int32_t *starts, int32_t *sums)
{
    const int8_t *second = first + inputs;
    const int8_t *third = second + inputs;
    const int8_t *fourth = third + inputs;
    int32_t a = starts[0];
    int32_t b = starts[1];
    int32_t c = starts[2];
    int32_t d = starts[3];
    __asm__("dlstp.8 lr, %[inputs]\n"
            "1:\n\t"
            "vldrb.8 q0, [%[input]], #16\n\t"
            "vldrb.8 q1, [%[first]], #16\n\t"
            "vmladava.s8 %[a], q0, q1\n\t"
            "vldrb.8 q2, [%[second]], #16\n\t"
            "vmladava.s8 %[b], q0, q2\n\t"
            "vldrb.8 q1, [%[third]], #16\n\t"
            "vmladava.s8 %[c], q0, q1\n\t"
            "vldrb.8 q2, [%[fourth]], #16\n\t"
            "vmladava.s8 %[d], q0, q2\n\t"
            "letp lr, 1b"
            : [input] "+r"(input), [first] "+r"(first), [second] "+r"(second),
              [third] "+r"(third), [fourth] "+r"(fourth), [a] "+Te"(a), [b] "+Te"(b),
              [c] "+Te"(c), [d] "+Te"(d)
            : [inputs] "r"(inputs)
            : "lr", "q0", "q1", "q2", "memory");
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static inline int32_t one_sum(const int8_t *input, const int8_t *weights, int32_t inputs,
                              int32_t sum)
{
    for (int32_t left = inputs; left > 0; left -= 16, input += 16, weights += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)left);
        sum = vmladavaq_p_s8(sum, vldrbq_z_s8(weights, lanes), vldrbq_z_s8(input, lanes), lanes);
    }
    return sum;
}

static void feature_sums(const int8_t *input, const int8_t *weights, int32_t inputs,
                         int32_t count, const int32_t *starts, int32_t *sums)
{
    for (; count >= 4; count -= 4, weights += 4 * inputs, starts += 4, sums += 4) {
        four_sums(input, weights, inputs, starts, sums);
    }
    for (; count > 0; --count, weights += inputs) {
        *sums++ = one_sum(input, weights, inputs, *starts++);
    }
}

static inline int32_t time_sum(const int16_t *time, const int16_t *state, int32_t taps,
                               int32_t sum)
{
    __asm__("dlstp.16 lr, %[taps]\n"
            "1:\n\t"
            "vldrh.16 q0, [%[time]], #16\n\t"
            "vldrh.16 q1, [%[state]], #16\n\t"
            "vmladava.s16 %[sum], q0, q1\n\t"
            "letp lr, 1b"
            : [time] "+r"(time), [state] "+r"(state), [sum] "+Te"(sum)
            : [taps] "r"(taps)
            : "lr", "q0", "q1", "memory");
    return sum;
}

/* Shifts round half up: one less makes it half away from zero where number and shift are
 * negative. */
static inline int32x4_t scaled(const int32_t *sums, mve_pred16_t lanes, int32_t multiplier,
                               int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift - left;
    const int32x4_t raised = vshlq_r_s32(vldrwq_z_s32(sums, lanes), left);
    const int32x4_t high = vqrdmulhq_n_s32(raised, multiplier);
    const int32x4_t less = vshrq_n_s32(vandq_s32(high, vdupq_n_s32(right)), 31);
    return vrshlq_n_s32(vaddq_s32(high, less), right);
}

/* The newest value of `count` filters. */
static void remember(const ear_svdf_t *params, const int32_t *sums, int32_t count, int16_t *state)
{
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)params->memory);
    const int32x4_t low = vdupq_n_s32(INT16_MIN);
    const int32x4_t high = vdupq_n_s32(INT16_MAX);
    state += params->memory - 1;
    for (; count > 0; count -= 4, sums += 4, state += 4 * params->memory) {
        const mve_pred16_t lanes = vctp32q((uint32_t)count);
        const int32x4_t values =
            scaled(sums, lanes, params->feature_multiplier, params->feature_shift);
        vstrhq_scatter_shifted_offset_p_s32(state, places,
                                            vminq_s32(vmaxq_s32(values, low), high), lanes);
    }
}

static void finish(const ear_svdf_t *params, const int32_t *sums, int32_t count, int8_t *output)
{
    const int32x4_t low = vdupq_n_s32(INT8_MIN);
    const int32x4_t high = vdupq_n_s32(INT8_MAX);
    for (; count > 0; count -= 4, sums += 4, output += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)count);
        int32x4_t values = scaled(sums, lanes, params->output_multiplier, params->output_shift);
        values = vaddq_n_s32(values, params->output_offset);
        vstrbq_p_s32(output, vminq_s32(vmaxq_s32(values, low), high), lanes);
    }
}

#else

static void move_down(int16_t *values, int32_t count)
{
    memmove(values, values + 1, (size_t)(count - 1) * sizeof *values);
}

static void feature_sums(const int8_t *input, const int8_t *weights, int32_t inputs,
                         int32_t count, const int32_t *starts, int32_t *sums)
{
    for (; count > 0; --count, weights += inputs) {
        int32_t sum = 0;
        for (int32_t i = 0; i < inputs; ++i) {
            sum += weights[i] * input[i];
        }
        *sums++ = ear_wrapping_sum(*starts++, sum);
    }
}

static int32_t time_sum(const int16_t *time, const int16_t *state, int32_t taps, int32_t sum)
{
    for (int32_t tap = 0; tap < taps; ++tap) {
        sum = ear_wrapping_sum(sum, time[tap] * state[tap]);
    }
    return sum;
}

static void remember(const ear_svdf_t *params, const int32_t *sums, int32_t count, int16_t *state)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value =
            ear_scale(sums[i], params->feature_multiplier, params->feature_shift);
        state[(i + 1) * params->memory - 1] = (int16_t)ear_clamp(value, INT16_MIN, INT16_MAX);
    }
}

static void finish(const ear_svdf_t *params, const int32_t *sums, int32_t count, int8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i] = ear_svdf_output(params, (uint32_t)sums[i]);
    }
}

#endif

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void features(const ear_svdf_t *params, const int8_t *input, const int8_t *weights,
                     int32_t count, const int32_t *starts, int16_t *state)
{
    for (int32_t done = 0; done < count; done += GROUP) {
        int32_t sums[GROUP];
        const int32_t part = least(count - done, GROUP);
        feature_sums(input, weights + done * params->inputs, params->inputs, part, starts + done,
                     sums);
        remember(params, sums, part, state + done * params->memory);
    }
}

void ear_svdf_s8_s16_mve(const ear_svdf_t *params, const int8_t *input,
                         const ear_weights_t *feature, int8_t *scratch, const int32_t *starts,
                         const int16_t *time, const int32_t *bias, int16_t *state,
                         int8_t *output)
{
    const int32_t filters = params->filters;
    const int32_t values = filters * params->memory;
    const int32_t step = ear_weights_block(feature, filters);
    /* All at once: what comes from the next filter is then written over. */
    move_down(state, params->batches * values);
    for (int32_t first = 0; first < filters; first += step) {
        const int32_t count = least(filters - first, step);
        const int8_t *const weights =
            ear_weights_rows(feature, params->inputs, first, count, scratch);
        for (int32_t batch = 0; batch < params->batches; ++batch) {
            features(params, input + batch * params->inputs, weights, count, starts + first,
                     state + batch * values + first * params->memory);
        }
    }
    const int32_t units = filters / params->rank;
    const int32_t taps = params->rank * params->memory;
    for (int32_t batch = 0; batch < params->batches; ++batch) {
        for (int32_t done = 0; done < units; done += GROUP) {
            int32_t sums[GROUP];
            const int32_t count = least(units - done, GROUP);
            for (int32_t i = 0; i < count; ++i, state += taps) {
                sums[i] = time_sum(time + (done + i) * taps, state, taps, bias[done + i]);
            }
            finish(params, sums, count, output);
            output += count;
        }
    }
}
