/* The smallest firmware: it sends back what it receives, and a 0xFF is followed by the ticks. On
 * bare metal 0xFD makes a bus fault, and 0xFE a stack overflow. */
#include "port.h"
#ifdef __linux__
#include "port_linux.h"
#endif

#ifndef __linux__
/* Takes more stack than the board has. */
static uint32_t descend(uint32_t depth) {
    volatile uint8_t frame[512];
    frame[0] = (uint8_t)depth;
    return depth == 0u ? 0u : descend(depth - 1u) + frame[0];
}
#endif

static void send_ticks(void) {
    uint32_t ticks = ear_port_ticks();
    uint8_t bytes[4];
    for (uint32_t i = 0; i < 4u; i++) {
        bytes[i] = (uint8_t)(ticks >> (8u * i));
    }
    ear_port_write(bytes, sizeof bytes);
}

#ifdef __linux__
int main(int argc, char **argv) {
    int exit_code = 0;
    if (!ear_port_arguments(argc, argv, &exit_code)) {
        return exit_code;
    }
#else
int main(void) {
#endif
    static uint8_t bytes[256];
    ear_port_init();
    while (ear_port_running()) {
        size_t count = ear_port_read(bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            ear_port_write(&bytes[i], 1);
            if (bytes[i] == 0xFFu) {
                send_ticks();
            }
#ifndef __linux__
            if (bytes[i] == 0xFEu) {
                ear_port_write(&bytes[descend(1000u) % sizeof bytes], 1);
            }
            if (bytes[i] == 0xFDu) {
                /* Nothing is there: a bus fault. */
                *(volatile uint32_t *)0xF0000000u = 1;
            }
#endif
        }
        if (count == 0u) {
            ear_port_idle();
        }
    }
    return 0;
}
