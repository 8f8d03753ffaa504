/* Pulse density to PCM: the bits of a digital microphone at 1.024 MHz become samples at 16 kHz.
 *
 * In two steps of 8. The first is a CIC filter of order 4, (1 + z + ... + z^7)^4, looked up for four
 * bits at a time; it leaves nothing within 8 kHz of the multiples of 128 kHz above -94 dB. The
 * second is a symmetrical FIR filter of 192 taps that lets 7 kHz pass (-0.1 dB) and stops all from
 * 9.2 kHz (-50 dB); it evens out the first one's droop. Both are exact up to one rounding at the end.
 *
 * A stream of nothing but ones becomes 32767, or clips at it, as `gain_bits` doubles. No heap; a
 * caller owns the state. About 1,100 instructions a sample on a Cortex-M4. */
#ifndef EAR_PDM_H
#define EAR_PDM_H

#include <stddef.h>
#include <stdint.h>

#define EAR_PDM_TAPS 192u
/* Words of 16 bits that make a sample. */
#define EAR_PDM_WORDS 4u
#define EAR_PDM_MAX_GAIN_BITS 8u

typedef struct {
    uint32_t bits;                    /* the last 32, the newest lowest */
    uint32_t at;                      /* where the next value goes, below EAR_PDM_TAPS */
    int16_t values[2u * EAR_PDM_TAPS]; /* at 128 kHz, twice, so that any window is in one piece */
} ear_pdm_t;

/* A silent past: as many ones as zeros. */
void ear_pdm_init(ear_pdm_t *pdm);

/* Turn EAR_PDM_WORDS words a sample, earliest bit highest, into `samples` samples. They are doubled
 * gain_bits times, 0 to EAR_PDM_MAX_GAIN_BITS, before they are rounded and limited to 16 bits. */
void ear_pdm_samples(ear_pdm_t *pdm, const uint16_t *words, size_t samples, uint32_t gain_bits,
                     int16_t *pcm);

#endif
