#include "ear_frontend.h"

#include <string.h>

void ear_frontend_reset(ear_frontend_t *frontend)
{
    frontend->used = 0;
    memset(frontend->words, 0, frontend->spec->state_words * sizeof(uint32_t));
}

bool ear_frontend_push(ear_frontend_t *frontend, const int16_t *samples, uint32_t count,
                       uint32_t *consumed, int16_t *features)
{
    const ear_frontend_spec_t *const spec = frontend->spec;
    const uint32_t missing = spec->window_samples - frontend->used;
    const uint32_t taken = count < missing ? count : missing;
    if (taken > 0) {
        memcpy(frontend->samples + frontend->used, samples, taken * sizeof(int16_t));
    }
    frontend->used += taken;
    *consumed = taken;
    if (frontend->used < spec->window_samples) {
        return false;
    }
    spec->frame(spec->tables, frontend->samples, frontend->words,
                frontend->words + spec->state_words, features);
    frontend->used -= spec->hop_samples;
    memmove(frontend->samples, frontend->samples + spec->hop_samples,
            frontend->used * sizeof(int16_t));
    return true;
}

uint32_t ear_frontend_push_all(ear_frontend_t *frontend, const int16_t *samples, uint32_t count,
                               int16_t *features)
{
    uint32_t frames = 0;
    while (count > 0) {
        uint32_t consumed;
        if (ear_frontend_push(frontend, samples, count, &consumed,
                              features + frames * frontend->spec->feature_count)) {
            ++frames;
        }
        samples += consumed;
        count -= consumed;
    }
    return frames;
}

static int32_t clamped(int32_t value, int32_t least, int32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int32_t quantized(const ear_feature_quantization_8_t *terms, int16_t feature)
{
    const int32_t scaled = feature * terms->numerator + terms->denominator / 2;
    int32_t value = scaled / terms->denominator;
    value -= value * terms->denominator > scaled; /* C rounds towards zero, the contract down */
    return value + terms->offset;
}

void ear_quantize_features_s8(const void *quantization, const int16_t *features, uint32_t count,
                              void *output)
{
    int8_t *const to = output;
    for (uint32_t i = 0; i < count; ++i) {
        to[i] = (int8_t)clamped(quantized(quantization, features[i]), INT8_MIN, INT8_MAX);
    }
}

void ear_quantize_features_u8(const void *quantization, const int16_t *features, uint32_t count,
                              void *output)
{
    uint8_t *const to = output;
    for (uint32_t i = 0; i < count; ++i) {
        to[i] = (uint8_t)clamped(quantized(quantization, features[i]), 0, UINT8_MAX);
    }
}

void ear_quantize_features_f32(const void *quantization, const int16_t *features, uint32_t count,
                               void *output)
{
    const ear_feature_scaling_f32_t *const terms = quantization;
    float *const to = output;
    for (uint32_t i = 0; i < count; ++i) {
        /* Two statements: a compiler may fuse product and sum of one. */
        const float scaled = (float)features[i] * terms->scale;
        to[i] = scaled + terms->offset;
    }
}

void ear_quantize_features_s16(const void *quantization, const int16_t *features, uint32_t count,
                               void *output)
{
    const ear_feature_quantization_s16_t *const terms = quantization;
    int16_t *const to = output;
    for (uint32_t i = 0; i < count; ++i) {
        const int64_t scaled = (int64_t)features[i] * terms->multiplier >> terms->shift;
        const int64_t value = (scaled + terms->offset) >> 14;
        to[i] = (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
    }
}
