/* The port on Arduino: the line is Serial, the clock micros(). */
#include <Arduino.h>

#include "board_config.h"

extern "C" {
#include "port.h"
}

void ear_port_init(void) {
#if defined(ARDUINO_ARCH_ESP32) || defined(ARDUINO_ARCH_ESP8266)
    Serial.setRxBufferSize(EAR_PORT_RX_BYTES);
#endif
    Serial.begin(EAR_PORT_BAUD);
}

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    size_t count = 0;
    while (count < capacity && Serial.available() > 0) {
        bytes[count++] = static_cast<uint8_t>(Serial.read());
    }
    return count;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    while (count > 0) {
        const size_t sent = Serial.write(bytes, count);
        bytes += sent;
        count -= sent;
    }
}

uint32_t ear_port_ticks(void) {
    return static_cast<uint32_t>(micros());
}

void ear_port_idle(void) {
    yield();
}

/* The only line is the protocol's. */
void ear_port_say(const char *) {}

bool ear_port_running(void) {
    return true;
}

size_t ear_port_microphone(int16_t *, size_t) {
    return 0;
}
