#pragma once
#include <cstddef>
#include <cstdint>

class Stream {
  public:
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(const uint8_t *bytes, size_t count);
};

extern Stream Serial;

unsigned long micros();
void yield();
void setup();
void loop();
