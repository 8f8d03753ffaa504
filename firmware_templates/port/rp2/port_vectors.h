/* The interrupts that this port handles, for the vector table of startup.c. */
#ifndef EAR_PORT_VECTORS_H
#define EAR_PORT_VECTORS_H

#include "board_config.h"

void ear_port_uart_rx_interrupt(void);

/* ENTRY(interrupt number, handler) for each. */
#define EAR_PORT_VECTORS(ENTRY) ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uart_rx_interrupt)

#endif
