#include "port_cortex_m.h"

#include <stdatomic.h>

#include "port.h"
#include "semihosting.h"

_Static_assert((EAR_PORT_RX_BYTES & (EAR_PORT_RX_BYTES - 1u)) == 0u, "ring: a power of two");

/* The interrupt writes `head`, the program writes `tail`; both run freely, so head - tail is the
 * number of bytes waiting and all of the ring can be used. */
static uint8_t ring[EAR_PORT_RX_BYTES];
static volatile uint32_t head;
static volatile uint32_t tail;

bool ear_port_received(uint8_t byte) {
    uint32_t at = head;
    ring[at % EAR_PORT_RX_BYTES] = byte;
    atomic_signal_fence(memory_order_release);
    head = at + 1u;
    bool room = at + 1u - tail != EAR_PORT_RX_BYTES;
    if (!room) {
        ear_irq_disable(EAR_PORT_UART_RX_IRQ);
    }
    return room;
}

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    uint32_t at = tail;
    size_t count = head - at;
    if (count > capacity) {
        count = capacity;
    }
    atomic_signal_fence(memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = ring[(at + i) % EAR_PORT_RX_BYTES];
    }
    atomic_signal_fence(memory_order_release);
    tail = at + (uint32_t)count;
    if (count > 0u) {
        ear_irq_enable(EAR_PORT_UART_RX_IRQ);
    }
    return count;
}

void ear_port_idle(void) {
    /* With interrupts held back, a byte that arrives after the look at the ring still ends WFI. */
    __asm volatile("cpsid i" ::: "memory");
    if (head == tail) {
        __asm volatile("dsb\n\twfi" ::: "memory");
    }
    __asm volatile("cpsie i\n\tisb" ::: "memory");
}

void ear_port_say(const char *text) {
#if EAR_PORT_SEMIHOSTING
    ear_semihost(SEMIHOSTING_WRITE0, text);
#else
    (void)text;
#endif
}

bool ear_port_running(void) {
    return true;
}

#if !EAR_PORT_MICROPHONE
size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    (void)samples;
    (void)capacity;
    return 0;
}
#endif
