#include <Arduino.h>

#include "../line.h"

Stream Serial;
static int next = -1;

void Stream::begin(unsigned long) {}

int Stream::available() {
    if (next < 0) {
        next = line_take(0);
    }
    return next >= 0 ? 1 : 0;
}

int Stream::read() {
    const int byte = available() != 0 ? next : -1;
    next = -1;
    return byte;
}

size_t Stream::write(const uint8_t *bytes, size_t count) {
    line_give(bytes, count);
    return count;
}

unsigned long micros() {
    return static_cast<unsigned long>(line_us());
}

void yield() {
    if (next < 0) {
        next = line_take(10);
    }
}

int main() {
    setup();
    for (;;) {
        loop();
    }
}
