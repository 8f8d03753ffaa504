/* Registers that more than one file of this port needs. Nordic nRF52840 Product Specification v1.7
 * (nRF52840_PS), whose sections the comments name. */
#ifndef EAR_PORT_NRF52_H
#define EAR_PORT_NRF52_H

#include <stdint.h>

#define EAR_REGISTER(address) (*(volatile uint32_t *)(address))

/* GPIO (6.9): pins are counted through both ports, 32 in each. */
#define EAR_PIN_PORT(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define EAR_PIN_BIT(pin) (1u << ((pin) % 32u))
#define EAR_PIN_OUTSET(pin) EAR_REGISTER(EAR_PIN_PORT(pin) + 0x508u)
#define EAR_PIN_OUTCLR(pin) EAR_REGISTER(EAR_PIN_PORT(pin) + 0x50Cu)
#define EAR_PIN_CNF(pin) EAR_REGISTER(EAR_PIN_PORT(pin) + 0x700u + 4u * ((pin) % 32u))
#define EAR_PIN_INPUT 0u
#define EAR_PIN_INPUT_PULL_UP (3u << 2)
#define EAR_PIN_OUTPUT ((1u << 0) | (1u << 1)) /* and its input buffer is off */

/* An event (6.1.6) is cleared by a write that takes effect up to four cycles later: read it back,
 * so that an interrupt that returns at once is not raised again. */
static inline void ear_event_clear(volatile uint32_t *event) {
    *event = 0u;
    (void)*event;
}

/* Before a task that lets EasyDMA (6.2) at memory, and after its last event: the compiler keeps no
 * access of the program's on the wrong side. */
static inline void ear_dma_fence(void) {
    __asm volatile("dmb" ::: "memory");
}

#endif
