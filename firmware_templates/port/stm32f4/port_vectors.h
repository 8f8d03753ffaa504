/* The interrupts that this port handles, for the vector table of startup.c. */
#ifndef EAR_PORT_VECTORS_H
#define EAR_PORT_VECTORS_H

#include "board_config.h"

void ear_port_uart_interrupt(void);
void ear_port_samples_interrupt(void);

/* DMA1's stream 3: ST RM0090, table 61. */
#define EAR_PORT_SAMPLES_IRQ 14u

/* ENTRY(interrupt number, handler) for each. */
#if EAR_PORT_MICROPHONE_PDM || EAR_PORT_MICROPHONE_I2S
#define EAR_PORT_VECTORS(ENTRY)                          \
    ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uart_interrupt) \
    ENTRY(EAR_PORT_SAMPLES_IRQ, ear_port_samples_interrupt)
#else
#define EAR_PORT_VECTORS(ENTRY) ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uart_interrupt)
#endif

#endif
