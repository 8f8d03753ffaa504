/* What the ports for Cortex-M share: the ring of received bytes, interrupts, sleep.
 *
 * A port of this kind has its own ear_port_init(), ear_port_write(), ear_port_ticks(), for boards with
 * a microphone ear_port_microphone(), and a port_vectors.h with its interrupts; port_cortex_m.c has
 * the rest. */
#ifndef EAR_PORT_CORTEX_M_H
#define EAR_PORT_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#include "board_config.h"

/* NVIC: Armv7-M Architecture Reference Manual, B3.4; Armv6-M has the first word of each. */
static inline void ear_irq_enable(uint32_t irq) {
    ((volatile uint32_t *)0xE000E100u)[irq / 32u] = 1u << (irq % 32u);
}

static inline void ear_irq_disable(uint32_t irq) {
    ((volatile uint32_t *)0xE000E180u)[irq / 32u] = 1u << (irq % 32u);
}

/* Keep a received byte; called by the interrupt EAR_PORT_UART_RX_IRQ alone. One that fills the ring
 * masks that interrupt in the NVIC until bytes are read: the line holds what comes meanwhile, and
 * false is returned, so that an interrupt that has more leaves it there. */
bool ear_port_received(uint8_t byte);

#endif
