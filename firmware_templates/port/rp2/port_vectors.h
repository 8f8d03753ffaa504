/* The interrupts that this port handles, for the vector table of startup.c. */
#ifndef EAR_PORT_VECTORS_H
#define EAR_PORT_VECTORS_H

#include "board_config.h"
#include "rp2_chip.h"

void ear_port_uart_rx_interrupt(void);
void ear_port_dma_interrupt(void);

/* ENTRY(interrupt number, handler) for each. */
#if EAR_PORT_MICROPHONE_I2S
#define EAR_PORT_VECTORS(ENTRY)                            \
    ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uart_rx_interrupt) \
    ENTRY(DMA_IRQ, ear_port_dma_interrupt)
#else
#define EAR_PORT_VECTORS(ENTRY) ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uart_rx_interrupt)
#endif

#endif
