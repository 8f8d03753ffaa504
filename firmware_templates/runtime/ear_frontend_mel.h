/* The `logmel` and `mfcc` front ends: librosa's definitions in integers.
 *
 * Samples count as pcm / 32768. Hann window, power spectrum, triangular mel bands, decibels with a
 * floor of -100 (power 1e-10) and no upper range: librosa.power_to_db(melspectrogram(power=2.0),
 * ref=1.0, amin=1e-10, top_db=None). `mfcc` adds the orthonormal DCT-II over the channels. A frame's
 * features depend on that frame alone.
 * `logmel` gives 1/256 dB, `mfcc` 1/32 dB. How near to librosa: edgeasr/features/mel.py.
 */
#ifndef EAR_FRONTEND_MEL_H
#define EAR_FRONTEND_MEL_H

#include "ear_fft_int32.h"
#include "ear_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All tables are computed in edgeasr/features/mel.py. state_words: 0; scratch_words:
 * 2 * (fft.points + 1) + channels. */
typedef struct {
    uint32_t window_samples;
    const int32_t *window;     /* [window_samples / 2 + 1] first half of the window, Q31 */
    ear_fft_int32_t fft;       /* 2 * points >= window_samples */
    uint32_t channels;
    uint32_t first_bin;        /* of the first segment between mel points */
    const uint16_t *widths;    /* [channels + 1] bins of each segment, one after the other */
    const uint32_t *weights;   /* [sum of widths] Q24, share of the channel that rises there */
    const int32_t *offsets;    /* [channels] dB in Q16, what the normalization of a channel adds */
    const uint16_t *log2_bend; /* [130] log2(1 + i / 128) - i / 128, Q16 */
    uint32_t coefficients;     /* of the DCT; 0 for logmel */
    const int32_t *cosines;    /* [channels + 1] sqrt(2 / channels) cos(pi i / (2 channels)), Q30 */
    uint32_t mean_scale;       /* 1 / sqrt(channels), Q30 */
} ear_frontend_mel_t;

/* An ear_frontend_frame_t; tables is an ear_frontend_mel_t. */
void ear_frontend_logmel(const void *tables, const int16_t *samples, uint32_t *state,
                         uint32_t *scratch, int16_t *features);

/* An ear_frontend_frame_t; tables is an ear_frontend_mel_t. */
void ear_frontend_mfcc(const void *tables, const int16_t *samples, uint32_t *state,
                       uint32_t *scratch, int16_t *features);

#ifdef __cplusplus
}
#endif

#endif
