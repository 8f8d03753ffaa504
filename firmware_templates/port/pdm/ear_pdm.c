#include "ear_pdm.h"

#define CIC_STEP_BITS 8u
#define NIBBLES 8u
/* The taps add up to 2^17 and the CIC filter gives 2^12 for ones alone: 2^15 is full scale. */
#define SHIFT 14u

#define PART(nibble, bit, tap) (((nibble) >> (bit)&1) != 0 ? (tap) : -(tap))
#define ENTRY(n, a, b, c, d) (PART(n, 0, a) + PART(n, 1, b) + PART(n, 2, c) + PART(n, 3, d))
/* What four bits contribute, for each of their values; a to d: taps of the newest to the oldest. */
#define ENTRIES(a, b, c, d)                                                                      \
    {ENTRY(0, a, b, c, d),  ENTRY(1, a, b, c, d),  ENTRY(2, a, b, c, d),  ENTRY(3, a, b, c, d),  \
     ENTRY(4, a, b, c, d),  ENTRY(5, a, b, c, d),  ENTRY(6, a, b, c, d),  ENTRY(7, a, b, c, d),  \
     ENTRY(8, a, b, c, d),  ENTRY(9, a, b, c, d),  ENTRY(10, a, b, c, d), ENTRY(11, a, b, c, d), \
     ENTRY(12, a, b, c, d), ENTRY(13, a, b, c, d), ENTRY(14, a, b, c, d), ENTRY(15, a, b, c, d)}

/* (1 + z + ... + z^7)^4: 29 taps. */
static const int16_t cic[NIBBLES][16] = {
    ENTRIES(1, 4, 10, 20),       ENTRIES(35, 56, 84, 120),    ENTRIES(161, 204, 246, 284),
    ENTRIES(315, 336, 344, 336), ENTRIES(315, 284, 246, 204), ENTRIES(161, 120, 84, 56),
    ENTRIES(35, 20, 10, 4),      ENTRIES(1, 0, 0, 0),
};

/* The first half: an ideal low-pass at 8 kHz over the CIC filter's response, under a Kaiser window
 * with beta 5, scaled to 2^17 and rounded; tests/verify/microphone computes them anew. */
static const int16_t taps[EAR_PDM_TAPS / 2u] = {
    -3,    -10,   -18,   -24,   -27,  -25,   -19,   -7,    8,     25,    41,    53,
    57,    53,    38,    15,    -16,  -48,   -77,   -98,   -105,  -95,   -68,   -26,
    27,    82,    131,   164,   174,  156,   111,   42,    -43,   -130,  -206,  -257,
    -271,  -243,  -171,  -64,   65,   198,   312,   387,   406,   362,   254,   95,
    -97,   -291,  -457,  -566,  -594, -528,  -371,  -138,  140,   422,   663,   820,
    861,   766,   538,   201,   -202, -614,  -967,  -1201, -1265, -1131, -799,  -301,
    301,   924,   1470,  1842,  1961, 1775,  1273,  491,   -486,  -1534, -2500, -3219,
    -3533, -3316, -2489, -1033, 998,  3488,  6256,  9084,  11730, 13963, 15577, 16423,
};

void ear_pdm_init(ear_pdm_t *pdm) {
    pdm->bits = 0x55555555u;
    pdm->at = 0u;
    for (uint32_t i = 0; i < 2u * EAR_PDM_TAPS; i++) {
        pdm->values[i] = 0;
    }
}

static void keep(ear_pdm_t *pdm, uint32_t eight_bits) {
    const uint32_t bits = pdm->bits << CIC_STEP_BITS | eight_bits;
    int32_t value = 0;
    for (uint32_t nibble = 0; nibble < NIBBLES; nibble++) {
        value += cic[nibble][bits >> (4u * nibble) & 15u];
    }
    pdm->bits = bits;
    pdm->values[pdm->at] = (int16_t)value;
    pdm->values[pdm->at + EAR_PDM_TAPS] = (int16_t)value;
    pdm->at = pdm->at + 1u < EAR_PDM_TAPS ? pdm->at + 1u : 0u;
}

/* |sum| stays below 2^12 * 249,812, the taps' absolute values added up. */
static int32_t filtered(const int16_t *window) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < EAR_PDM_TAPS / 2u; i++) {
        sum += taps[i] * (window[i] + window[EAR_PDM_TAPS - 1u - i]);
    }
    return sum;
}

void ear_pdm_samples(ear_pdm_t *pdm, const uint16_t *words, size_t samples, uint32_t gain_bits,
                     int16_t *pcm) {
    const uint32_t shift = SHIFT - gain_bits;
    for (size_t i = 0; i < samples; i++) {
        for (uint32_t word = 0; word < EAR_PDM_WORDS; word++) {
            keep(pdm, (uint32_t)*words >> 8);
            keep(pdm, *words & 0xFFu);
            words++;
        }
        int32_t value = (filtered(&pdm->values[pdm->at]) + (1 << (shift - 1u))) >> shift;
        value = value > INT16_MAX ? INT16_MAX : value;
        pcm[i] = (int16_t)(value < INT16_MIN ? INT16_MIN : value);
    }
}
