/* The `micro` front end: the fixed-point audio front end of TFLite-Micro, bit for bit.
 *
 * window, 16-bit FFT, triangular mel bands, square root, noise reduction, PCAN gain control,
 * logarithm. Noise reduction and gain control can be left out; with both left out a frame's
 * features depend on that frame alone.
 * Source of the algorithm: tensorflow/lite/experimental/microfrontend in tensorflow/tflite-micro.
 */
#ifndef EAR_FRONTEND_MICRO_H
#define EAR_FRONTEND_MICRO_H

#include "ear_fft_int16.h"
#include "ear_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All weights are computed in edgeasr/features/micro.py. state_words: channels;
 * scratch_words: fft.points + 1 + channels. */
typedef struct {
    uint32_t window_samples;
    const int16_t *window;     /* [window_samples] Q12 */
    ear_fft_int16_t fft;       /* 2 * points >= window_samples */
    uint32_t channels;
    uint32_t first_bin;        /* of the first band */
    const uint16_t *widths;    /* [channels + 1] bins of each band, one after the other */
    const uint32_t *weights;   /* [sum of widths] Q12 halves: low for this band, high for the next */
    uint32_t noise_reduction;  /* 0: only estimate the noise, for the gain control */
    uint32_t gain_control;
    uint32_t smoothing_bits;   /* fraction bits of the noise estimate */
    uint32_t even_smoothing;   /* Q14, channels 0, 2, ... */
    uint32_t odd_smoothing;    /* Q14, channels 1, 3, ... */
    uint32_t min_remaining;    /* Q14, share of the signal that noise reduction leaves at least */
    const int16_t *gains;      /* [125] gain over the noise estimate, piecewise quadratic */
    uint32_t snr_shift;
    const uint16_t *log2_bend; /* [130] log2(1 + i / 128) - i / 128, Q16 */
    uint32_t correction_bits;  /* log2 of the FFT's length, less 6 */
    uint32_t log_shift;        /* features are ln(x) * 2^log_shift */
} ear_frontend_micro_t;

/* An ear_frontend_frame_t; tables is an ear_frontend_micro_t. Features are 0 or more. */
void ear_frontend_micro(const void *tables, const int16_t *samples, uint32_t *state,
                        uint32_t *scratch, int16_t *features);

#ifdef __cplusplus
}
#endif

#endif
