/* Sends what the microphone hears: each sample as two bytes, the lower first. */
#include "port.h"

int main(void) {
    static int16_t samples[64];
    ear_port_init();
    while (ear_port_running()) {
        size_t count = ear_port_microphone(samples, sizeof samples / sizeof samples[0]);
        for (size_t i = 0; i < count; i++) {
            const uint8_t bytes[2] = {(uint8_t)samples[i], (uint8_t)((uint16_t)samples[i] >> 8)};
            ear_port_write(bytes, sizeof bytes);
        }
        if (count == 0u) {
            ear_port_idle();
        }
    }
    return 0;
}
