/* The front end: PCM samples in, one row of int16 features per hop out.
 *
 * Frames follow each other every hop_samples; the first is complete after window_samples. The kinds
 * of front end differ in what they make of a frame (ear_frontend_micro.h, ear_frontend_mel.h). The
 * tables of a specification are computed by edgeasr/features, for the host and the firmware alike.
 */
#ifndef EAR_FRONTEND_H
#define EAR_FRONTEND_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Turns one frame into features.
 *   tables    the kind's own constants
 *   samples   [window_samples] oldest first
 *   state     [state_words] kept from frame to frame, zero after a reset
 *   scratch   [scratch_words] free to use
 *   features  [feature_count] the result */
typedef void ear_frontend_frame_t(const void *tables, const int16_t *samples, uint32_t *state,
                                  uint32_t *scratch, int16_t *features);

typedef struct {
    uint32_t window_samples; /* samples of one frame */
    uint32_t hop_samples;    /* from one frame to the next; 1 to window_samples */
    uint32_t feature_count;  /* features of one frame */
    uint32_t state_words;
    uint32_t scratch_words;
    ear_frontend_frame_t *frame;
    const void *tables;
} ear_frontend_spec_t;

typedef struct {
    const ear_frontend_spec_t *spec;
    int16_t *samples; /* [window_samples], the caller's */
    uint32_t *words;  /* [state_words + scratch_words], the caller's */
    uint32_t used;    /* samples in `samples` that await the next frame */
} ear_frontend_t;

/* Forget all that was heard. Needed once before the first push. */
void ear_frontend_reset(ear_frontend_t *frontend);

/* Take samples up to the end of the next frame, and make its features.
 * Returns true when a frame was completed: `features` then holds feature_count values, and samples
 * may remain to be pushed. Returns false when all were taken without completing one.
 * *consumed: how many of the `count` samples were taken. */
bool ear_frontend_push(ear_frontend_t *frontend, const int16_t *samples, uint32_t count,
                       uint32_t *consumed, int16_t *features);

/* Push all samples; features: [frames * feature_count] with room for every frame that they
 * complete. Returns the number of frames. */
uint32_t ear_frontend_push_all(ear_frontend_t *frontend, const int16_t *samples, uint32_t count,
                               int16_t *features);

/* Features to a model's input: `count` values of its type to `output`. */
typedef void ear_quantize_features_t(const void *quantization, const int16_t *features,
                                     uint32_t count, void *output);

/* To int8 and uint8. */
typedef struct {
    int32_t numerator;   /* 1 to 32767 */
    int32_t denominator; /* 1 to 32767 */
    int32_t offset;      /* -32768 to 32767 */
} ear_feature_quantization_8_t;

/* q = clamp(floor((f * numerator + denominator / 2) / denominator) + offset, -128, 127), where
 * denominator / 2 is rounded down; to uint8 the clamp is from 0 to 255.
 * quantization: ear_feature_quantization_8_t. */
ear_quantize_features_t ear_quantize_features_s8;
ear_quantize_features_t ear_quantize_features_u8;

/* To int16. */
typedef struct {
    int32_t multiplier; /* 2^30 to 2^31 - 1 */
    int32_t shift;      /* 1 to 32 */
    int32_t offset;     /* in 1/16384 */
} ear_feature_quantization_s16_t;

/* q = clamp(floor((f * multiplier / 2^shift + offset) / 16384), -32768, 32767).
 * quantization: ear_feature_quantization_s16_t. */
ear_quantize_features_t ear_quantize_features_s16;

/* To float32: f * scale + offset, each step rounded to float32. quantization:
 * ear_feature_scaling_f32_t. */
typedef struct {
    float scale;
    float offset;
} ear_feature_scaling_f32_t;

ear_quantize_features_t ear_quantize_features_f32;

#ifdef __cplusplus
}
#endif

#endif
