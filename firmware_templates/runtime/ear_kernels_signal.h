/* Kernels of TFLite-Micro's signal operators: an audio front end as layers of a model.
 *
 * What ear_kernels.h says of all kernels holds here too: the bits are those of TFLite-Micro, and
 * everything was checked at export. Two int16 that stand for a complex number (real, imaginary)
 * are read as one word, as little-endian memory has them: ear_fft_int16.h. What TFLite-Micro
 * leaves unwritten is 0 here: energies outside [start, end), frames that are not valid.
 */
#ifndef EAR_KERNELS_SIGNAL_H
#define EAR_KERNELS_SIGNAL_H

#include "ear_fft_int16.h"
#include "ear_fft_kiss32.h"
#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* SignalWindow: rows of `length` samples times weights / 2^shift, rounded down, saturated. */
typedef struct {
    int32_t rows;
    int32_t length;
    int32_t shift; /* 0 to 31 */
} ear_signal_window_t;

/* weights: [length]. May work in place. */
void ear_signal_window_s16(const ear_signal_window_t *params, const int16_t *input,
                           const int16_t *weights, int16_t *output);

/* SignalFftAutoScale: shifted left as far as the largest magnitude stays in int16. */
typedef struct {
    int32_t count;
} ear_signal_auto_scale_t;

/* *shift is the shift taken, 0 to 14; 0 for silence. Upstream forgets all before a -32768, and so
 * does this. May work in place. */
void ear_signal_auto_scale_s16(const ear_signal_auto_scale_t *params, const int16_t *input,
                               int16_t *output, int32_t *shift);

/* SignalRfft: rows of `length` samples, at most 2n, with zeros behind them, to bins 0 to n.
 * SignalIrfft: rows of bins 0 to n to 2n samples. n is the points of the transform. */
typedef struct {
    int32_t rows;
    int32_t length; /* of a row of samples; of the inverse always 2n */
} ear_signal_fft_t;

/* output: [rows, n + 1] */
void ear_signal_rfft_s16(const ear_signal_fft_t *params, const ear_fft_int16_t *fft,
                         const int16_t *input, uint32_t *output);

/* input: [rows, n + 1], output: [rows, n] pairs of samples */
void ear_signal_irfft_s16(const ear_signal_fft_t *params, const ear_fft_int16_t *fft,
                          const uint32_t *input, uint32_t *output);

/* output: [rows, n + 1, 2] */
void ear_signal_rfft_s32(const ear_signal_fft_t *params, const ear_fft_kiss32_t *fft,
                         const int32_t *input, int32_t *output);

/* input: [rows, n + 1, 2], output: [rows, 2n] */
void ear_signal_irfft_s32(const ear_signal_fft_t *params, const ear_fft_kiss32_t *fft,
                          const int32_t *input, int32_t *output);

/* SignalEnergy: the squared magnitudes of bins start to end - 1. */
typedef struct {
    int32_t start;
    int32_t end;
    int32_t bins; /* of the output */
} ear_signal_energy_t;

void ear_signal_energy_s16(const ear_signal_energy_t *params, const uint32_t *input,
                           uint32_t *output);

/* SignalFilterBank: band b reaches from bin bin_starts[b] on over widths[b] bins, whose weights
 * begin at weight_starts[b]. Channel c is the weighted sum of band c + 1, and the unweighted one of
 * band c. */
typedef struct {
    int32_t channels;
    const int16_t *bin_starts;    /* [channels + 1] */
    const int16_t *weight_starts; /* [channels + 1] */
    const int16_t *widths;        /* [channels + 1] */
} ear_signal_filter_bank_t;

void ear_signal_filter_bank_u32(const ear_signal_filter_bank_t *params, const uint32_t *input,
                                const int16_t *weights, const int16_t *unweights,
                                uint64_t *output);

/* SignalFilterBankSquareRoot: rounded to nearest, then shifted right by *shift modulo 32. */
typedef struct {
    int32_t channels;
} ear_signal_square_root_t;

void ear_signal_square_root_u64(const ear_signal_square_root_t *params, const uint64_t *input,
                                const int32_t *shift, uint32_t *output);

/* SignalFilterBankSpectralSubtraction: as ear_noise_t in ear_micro.h; entry 0 of an array is for
 * even channels, entry 1 for odd ones. */
typedef struct {
    int32_t channels;
    uint32_t smoothing[2];
    uint32_t keeping[2];
    uint32_t min_remaining;
    uint32_t smoothing_bits; /* 0 to 31 */
    uint32_t share_bits;     /* 0 to 31 */
    uint32_t clamping;       /* 1: the noise kept is never above the signal */
} ear_signal_noise_t;

/* state: [channels] the noise so far, zero at the start; noise: a copy of the new one. output may
 * be input. */
void ear_signal_noise_u32(const ear_signal_noise_t *params, uint32_t *state,
                          const uint32_t *input, uint32_t *output, uint32_t *noise);

/* SignalPCAN: gains is [125], ear_gain_controlled in ear_micro.h. */
typedef struct {
    int32_t channels;
    uint32_t snr_shift; /* 0 to 63 */
} ear_signal_pcan_t;

/* May work in place. */
void ear_signal_pcan_u32(const ear_signal_pcan_t *params, const uint32_t *input,
                         const uint32_t *noise, const int16_t *gains, uint32_t *output);

/* SignalFilterBankLog: ln(x * 2^correction_bits) * scale, at most 32767; 0 where the product wraps
 * to 0 or 1. */
typedef struct {
    const uint16_t *log2_bend; /* [130] */
    int32_t channels;
    uint32_t correction_bits;  /* 0 to 31 */
    uint32_t scale;
} ear_signal_log_t;

void ear_signal_log_u32(const ear_signal_log_t *params, const uint32_t *input, int16_t *output);

/* SignalDelay: rows of `length` samples, `delay` samples late. */
typedef struct {
    int32_t rows;
    int32_t length;
    int32_t delay;
} ear_signal_delay_t;

/* state: [rows, delay] the last samples, zero at the start */
void ear_signal_delay_s16(const ear_signal_delay_t *params, int16_t *state, const int16_t *input,
                          int16_t *output);

/* SignalFramer: rows of samples to `frames` frames of `length` samples, one every `step`.
 * `kept` samples of those before belong to a frame with the next `step`; it is a multiple of step
 * that lies less than one step below length, or length - step. */
typedef struct {
    int32_t rows;
    int32_t frames;
    int32_t length;
    int32_t step;
    int32_t kept;
} ear_signal_framer_t;

/* state: [rows, kept], *held: how many of the kept there are yet; *valid: 1 if all frames are. */
void ear_signal_framer_s16(const ear_signal_framer_t *params, int16_t *state, int32_t *held,
                           const int16_t *input, int16_t *output, uint8_t *valid);

/* SignalOverlapAdd: rows of `frames` frames of `length` samples, each added `step` samples after
 * the one before, saturated. */
typedef struct {
    int32_t rows;
    int32_t frames;
    int32_t length;
    int32_t step; /* 1 to length */
} ear_signal_overlap_add_t;

/* state: [rows, length] sums so far, zero at the start; output: [rows, frames, step] */
void ear_signal_overlap_add_s16(const ear_signal_overlap_add_t *params, int16_t *state,
                                const int16_t *input, int16_t *output);

/* SignalStacker: `stacked` frames of `channels` values side by side, one such row for every `step`
 * frames; the first frame is repeated `left` times before itself. */
typedef struct {
    int32_t channels;
    int32_t stacked; /* left + right + 1 */
    int32_t left;
    int32_t step;    /* 1 to stacked */
} ear_signal_stacker_t;

/* state: [stacked, channels]; *held: frames in it, -1 at the start; *valid: 1 if there is a row. */
void ear_signal_stacker_s16(const ear_signal_stacker_t *params, int16_t *state, int32_t *held,
                            const int16_t *input, int16_t *output, uint8_t *valid);

#ifdef __cplusplus
}
#endif

#endif
