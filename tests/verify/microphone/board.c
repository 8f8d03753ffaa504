/* A board whose microphone gives what a test put there, so much at a time. */
#include <stdint.h>

#include "ear_microphone.h"
#include "port.h"

void board_put(const int16_t *samples, size_t count, size_t at_a_time);

static const int16_t *next;
static size_t left;
static size_t most;

void board_put(const int16_t *samples, size_t count, size_t at_a_time) {
    next = samples;
    left = count;
    most = at_a_time;
}

size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    size_t count = left < most ? left : most;
    count = count < capacity ? count : capacity;
    for (size_t i = 0; i < count; i++) {
        samples[i] = *next++;
    }
    left -= count;
    return count;
}
