#include "ear_microphone.h"

#include <stdbool.h>
#include <string.h>

#include "port.h"

#define FRACTION_BITS 14
#define HALF (1 << (FRACTION_BITS - 1))

static uint32_t warm_up; /* in samples, and what is left of it */
static uint32_t to_discard;
static bool mean_known;
static int32_t mean; /* with FRACTION_BITS */
static ear_microphone_level_t level;

void ear_microphone_start(uint32_t sample_rate_hz) {
    warm_up = sample_rate_hz / 1000u * EAR_MICROPHONE_WARM_UP_MS;
    to_discard = warm_up;
    mean_known = false;
    memset(&level, 0, sizeof level);
}

static int16_t without_dc(int16_t sample) {
    const int32_t scaled = sample * (1 << FRACTION_BITS);
    if (!mean_known) {
        mean_known = true;
        mean = scaled;
    }
    const int32_t value = sample - ((mean + HALF) >> FRACTION_BITS);
    mean += (scaled - mean) >> EAR_MICROPHONE_DC_SHIFT;
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value);
}

static void measure(int16_t heard, int16_t sample) {
    const uint32_t magnitude = (uint32_t)(sample < 0 ? -sample : sample);
    level.samples++;
    level.squares += magnitude * magnitude;
    level.peak = magnitude > level.peak ? magnitude : level.peak;
    if (heard == INT16_MAX || heard == INT16_MIN || sample == INT16_MAX || sample == INT16_MIN) {
        level.clipped++;
    }
}

/* Takes what the port has of the warm-up, into a buffer that is not needed yet. A click would move the
 * mean for long, so the later half alone teaches it. */
static void discard(int16_t *samples, size_t capacity) {
    size_t count = 1;
    while (to_discard > 0u && count > 0u) {
        count = ear_port_microphone(samples, to_discard < capacity ? to_discard : capacity);
        for (size_t i = 0; to_discard <= warm_up / 2u && i < count; i++) {
            (void)without_dc(samples[i]);
        }
        to_discard -= (uint32_t)count;
    }
}

size_t ear_microphone_read(int16_t *samples, size_t capacity) {
    discard(samples, capacity);
    if (to_discard > 0u) {
        return 0;
    }
    const size_t count = ear_port_microphone(samples, capacity);
    for (size_t i = 0; i < count; i++) {
        const int16_t heard = samples[i];
        samples[i] = without_dc(heard);
        measure(heard, samples[i]);
    }
    return count;
}

ear_microphone_level_t ear_microphone_level(void) {
    const ear_microphone_level_t taken = level;
    memset(&level, 0, sizeof level);
    return taken;
}
