/* The interrupts that this port handles, for the vector table of startup.c. */
#ifndef EAR_PORT_VECTORS_H
#define EAR_PORT_VECTORS_H

#include "board_config.h"

void ear_port_uarte_interrupt(void);
void ear_port_pdm_interrupt(void);

/* nRF52840_PS 6.1.2: a peripheral's interrupt is bits 12 to 19 of its address. */
#define EAR_PORT_PDM_IRQ 29u

/* ENTRY(interrupt number, handler) for each. */
#if EAR_PORT_MICROPHONE_PDM
#define EAR_PORT_VECTORS(ENTRY)                           \
    ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uarte_interrupt) \
    ENTRY(EAR_PORT_PDM_IRQ, ear_port_pdm_interrupt)
#else
#define EAR_PORT_VECTORS(ENTRY) ENTRY(EAR_PORT_UART_RX_IRQ, ear_port_uarte_interrupt)
#endif

#endif
