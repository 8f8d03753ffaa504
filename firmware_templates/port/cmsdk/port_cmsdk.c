/* Arm CMSDK: protocol on the APB UART, received bytes by interrupt, ticks from an APB timer or from
 * the system counter of an SSE-300.
 *
 * Registers: Arm DDI 0479 (Cortex-M System Design Kit), chapters 4.2 (timer) and 4.3 (UART); Arm
 * 101773 (Corstone SSE-300), system counter and system timer. */
#include "port.h"
#include "port_cortex_m.h"
#include "port_vectors.h"

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

#define UART_STATE_TX_FULL (1u << 0)
#define UART_CONTROL_TX (1u << 0)
#define UART_CONTROL_RX (1u << 1)
#define UART_CONTROL_RX_INTERRUPT (1u << 3)
#define UART_INTERRUPT_RX (1u << 1)

void ear_port_uart_rx_interrupt(void) {
    /* Clearing comes first: a byte that arrives in between raises the interrupt again. */
    UART->interrupt_clear = UART_INTERRUPT_RX;
    ear_port_received((uint8_t)UART->data);
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
    ear_irq_enable(EAR_PORT_UART_RX_IRQ);
    /* An emulated UART loses, or holds back, what comes before it is enabled: say that it is. */
    ear_port_say("ready\n");
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
