/* stdin and stdout as a line, for the stand-ins. Ends the program when stdin does. */
#ifndef LINE_H
#define LINE_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A byte, or -1 when none came within the time. */
static inline int line_take(int timeout_ms) {
    struct pollfd in = {0, POLLIN, 0};
    uint8_t byte = 0;
    if (poll(&in, 1, timeout_ms) <= 0) {
        return -1;
    }
    if (read(0, &byte, 1) != 1) {
        exit(0);
    }
    return byte;
}

static inline void line_give(const void *bytes, size_t count) {
    const uint8_t *next = (const uint8_t *)bytes;
    while (count > 0u) {
        const ssize_t sent = write(1, next, count);
        if (sent <= 0) {
            exit(1);
        }
        next += sent;
        count -= (size_t)sent;
    }
}

static inline uint64_t line_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

#endif
