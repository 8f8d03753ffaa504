/* The board's microphone, made fit for the front end: warm-up discarded, DC blocked, level measured.
 *
 * ear_port_microphone() gives what the microphone gives. A microphone that wakes gives a click, or
 * nothing at all for a while (a TDK INMP441 for 2^18 of its clocks), and afterwards rests beside
 * zero. There is one microphone; not reentrant. */
#ifndef EAR_MICROPHONE_H
#define EAR_MICROPHONE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the microphone gives in its first so many milliseconds is not heard. */
#ifndef EAR_MICROPHONE_WARM_UP_MS
#define EAR_MICROPHONE_WARM_UP_MS 400u
#endif

/* The filter is y[n] = x[n] - m[n], m[n + 1] = m[n] + (x[n] - m[n]) / 2^8: a first-order high-pass
 * with its corner at the sample rate / (2 pi 2^8), 10 Hz at 16 kHz. m has 14 bits of fraction. */
#define EAR_MICROPHONE_DC_SHIFT 8

/* Of the samples since it was last asked for: how many, how many of them at the ends of the scale,
 * the largest magnitude, and the sum of the squares. */
typedef struct {
    uint32_t samples;
    uint32_t clipped;
    uint32_t peak;
    uint64_t squares;
} ear_microphone_level_t;

/* Begin to listen: the warm-up begins anew, and the level. What the port kept from before is part of
 * what is discarded. */
void ear_microphone_start(uint32_t sample_rate_hz);

/* Take up to `capacity` samples; never waits; 0 when there are none, and during warm-up. */
size_t ear_microphone_read(int16_t *samples, size_t capacity);

/* Return the level since the last call, or the start, and begin anew. */
ear_microphone_level_t ear_microphone_level(void);

#ifdef __cplusplus
}
#endif

#endif
