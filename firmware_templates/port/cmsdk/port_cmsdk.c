/* Arm CMSDK: protocol on the APB UART, received bytes by interrupt, ticks from an APB timer or from
 * the system counter of an SSE-300.
 *
 * Registers: Arm DDI 0479 (Cortex-M System Design Kit), chapters 4.2 (timer) and 4.3 (UART); Arm
 * 101773 (Corstone SSE-300), system counter and system timer. NVIC: Armv7-M Architecture Reference
 * Manual, B3.4. */
#include "port.h"

#include <stdatomic.h>

#include "board_config.h"
#include "semihosting.h"

typedef struct {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt_clear;
    volatile uint32_t baud_divider;
} uart_t;

#if EAR_PORT_COUNTER_BASE
typedef struct {
    volatile uint32_t count_low;
    volatile uint32_t count_high;
} sse_timer_t;

#define TIMER ((const sse_timer_t *)EAR_PORT_TIMER_BASE)
#define COUNTER_CONTROL (*(volatile uint32_t *)EAR_PORT_COUNTER_BASE)
#define COUNTER_CONTROL_ENABLE (1u << 0)
#else
typedef struct {
    volatile uint32_t control;
    volatile uint32_t value;
    volatile uint32_t reload;
} apb_timer_t;

#define TIMER ((apb_timer_t *)EAR_PORT_TIMER_BASE)
#define TIMER_CONTROL_ENABLE (1u << 0)
#endif

#define UART ((uart_t *)EAR_PORT_UART_BASE)
#define NVIC_ENABLE ((volatile uint32_t *)0xE000E100u)
#define NVIC_DISABLE ((volatile uint32_t *)0xE000E180u)

#define UART_STATE_TX_FULL (1u << 0)
#define UART_CONTROL_TX (1u << 0)
#define UART_CONTROL_RX (1u << 1)
#define UART_CONTROL_RX_INTERRUPT (1u << 3)
#define UART_INTERRUPT_RX (1u << 1)

#define RX_IRQ_WORD (EAR_PORT_UART_RX_IRQ / 32u)
#define RX_IRQ_BIT (1u << (EAR_PORT_UART_RX_IRQ % 32u))

_Static_assert((EAR_PORT_RX_BYTES & (EAR_PORT_RX_BYTES - 1u)) == 0u, "ring: a power of two");

/* The interrupt writes `head`, the program writes `tail`; both run freely, so head - tail is the
 * number of bytes waiting and all of the ring can be used. */
static uint8_t ring[EAR_PORT_RX_BYTES];
static volatile uint32_t head;
static volatile uint32_t tail;

void ear_port_uart_rx_interrupt(void);

void ear_port_uart_rx_interrupt(void) {
    /* Clearing comes first: a byte that arrives in between raises the interrupt again. */
    UART->interrupt_clear = UART_INTERRUPT_RX;
    uint32_t at = head;
    ring[at % EAR_PORT_RX_BYTES] = (uint8_t)UART->data;
    atomic_signal_fence(memory_order_release);
    head = at + 1u;
    if (at + 1u - tail == EAR_PORT_RX_BYTES) {
        /* Masked in the NVIC, not in the UART: there, the request of a byte that arrives
         * meanwhile would never be made. */
        NVIC_DISABLE[RX_IRQ_WORD] = RX_IRQ_BIT;
    }
}

static void start_ticks(void) {
#if EAR_PORT_COUNTER_BASE
    COUNTER_CONTROL = COUNTER_CONTROL_ENABLE;
#else
    TIMER->reload = 0xFFFFFFFFu;
    TIMER->value = 0xFFFFFFFFu;
    TIMER->control = TIMER_CONTROL_ENABLE;
#endif
}

void ear_port_init(void) {
    start_ticks();
    UART->baud_divider = EAR_PORT_CPU_HZ / EAR_PORT_BAUD;
    UART->control = UART_CONTROL_TX | UART_CONTROL_RX | UART_CONTROL_RX_INTERRUPT;
    NVIC_ENABLE[RX_IRQ_WORD] = RX_IRQ_BIT;
    /* An emulated UART loses, or holds back, what comes before it is enabled: say that it is. */
    ear_port_say("ready\n");
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
        NVIC_ENABLE[RX_IRQ_WORD] = RX_IRQ_BIT;
    }
    return count;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while ((UART->state & UART_STATE_TX_FULL) != 0u) {
        }
        UART->data = bytes[i];
    }
}

uint32_t ear_port_ticks(void) {
#if EAR_PORT_COUNTER_BASE
    return TIMER->count_low;
#else
    return 0xFFFFFFFFu - TIMER->value;
#endif
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

size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    (void)samples;
    (void)capacity;
    return 0;
}
