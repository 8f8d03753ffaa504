/* Samples of a microphone, between the interrupt that brings them and the program. */
#ifndef EAR_PORT_SAMPLES_H
#define EAR_PORT_SAMPLES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A ring of `size` samples, a power of two. As in port_cortex_m.c: the interrupt writes `head`, the
 * program `tail`, and both run freely. */
typedef struct {
    int16_t *ring;
    uint32_t size;
    volatile uint32_t head;
    volatile uint32_t tail;
} ear_samples_t;

/* Keep as many of `count` samples as there is room for, and return how many; for the interrupt. */
static inline uint32_t ear_samples_keep(ear_samples_t *kept, const int16_t *from, uint32_t count) {
    const uint32_t at = kept->head;
    const uint32_t space = kept->size - (at - kept->tail);
    if (count > space) {
        count = space;
    }
    for (uint32_t i = 0; i < count; i++) {
        kept->ring[(at + i) % kept->size] = from[i];
    }
    atomic_signal_fence(memory_order_release);
    kept->head = at + count;
    return count;
}

/* Take up to `capacity` samples, and return how many; for the program. */
static inline size_t ear_samples_take(ear_samples_t *kept, int16_t *samples, size_t capacity) {
    const uint32_t at = kept->tail;
    size_t count = kept->head - at;
    if (count > capacity) {
        count = capacity;
    }
    atomic_signal_fence(memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        samples[i] = kept->ring[(at + i) % kept->size];
    }
    atomic_signal_fence(memory_order_release);
    kept->tail = at + (uint32_t)count;
    return count;
}

#endif
