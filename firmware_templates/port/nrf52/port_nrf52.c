/* Nordic nRF52840: crystal, cache, protocol on UARTE0, ticks from TIMER0.
 *
 * A received byte is a transfer of one byte. UARTE keeps bytes that come between two transfers in
 * its own FIFO, of four at least (6.34.3), so an interrupt may be late by as many; a transfer that
 * is not followed by another, since the ring is full, holds all that comes. RTS and CTS are not
 * used: the window of HELLO bounds what is on the way, and a host that leaves them alone would
 * stop the board.
 *
 * Errata: 249 (access port protection, from revision 3 on) is below. 87 (a floating-point flag
 * may end sleep early) costs power alone. */
#include "port_nrf52.h"

#include "port.h"
#include "port_cortex_m.h"
#include "port_vectors.h"

/* CLOCK (5.4) */
#define CLOCK_TASKS_HFCLKSTART EAR_REGISTER(0x40000000u)
#define CLOCK_HFCLKSTAT EAR_REGISTER(0x4000040Cu)
#define CLOCK_HFCLKSTAT_CRYSTAL ((1u << 0) | (1u << 16)) /* source, running */
#define CRYSTAL_WAIT_TICKS (EAR_PORT_TICKS_HZ / 50u)     /* it takes 0.4 ms */

/* Access port protection (4.8) */
#define APPROTECT_DISABLE EAR_REGISTER(0x40000558u)
#define UICR_APPROTECT EAR_REGISTER(0x10001208u)
#define APPROTECT_OPEN 0x5Au

/* NVMC (4.3) */
#define NVMC_ICACHECNF EAR_REGISTER(0x4001E540u)
#define NVMC_ICACHECNF_ENABLED (1u << 0)

/* TIMER (6.30): 16 MHz divided by 2^PRESCALER */
#define TIMER_TASKS_START EAR_REGISTER(0x40008000u)
#define TIMER_TASKS_CAPTURE EAR_REGISTER(0x40008040u)
#define TIMER_MODE EAR_REGISTER(0x40008504u)
#define TIMER_MODE_TIMER 0u
#define TIMER_BITMODE EAR_REGISTER(0x40008508u)
#define TIMER_BITMODE_32 3u
#define TIMER_PRESCALER EAR_REGISTER(0x40008510u)
#define TIMER_CC EAR_REGISTER(0x40008540u)

_Static_assert(EAR_PORT_TICKS_HZ == 16000000u, "ticks_hz: TIMER0 counts at 16 MHz");

/* UARTE0 (6.34.9) */
typedef struct {
    volatile uint32_t pointer;
    volatile uint32_t maximum;
    volatile uint32_t amount;
} dma_t;

#define UARTE_TASKS_STARTRX EAR_REGISTER(0x40002000u)
#define UARTE_TASKS_STARTTX EAR_REGISTER(0x40002008u)
#define UARTE_EVENTS_ENDRX EAR_REGISTER(0x40002110u)
#define UARTE_EVENTS_ENDTX EAR_REGISTER(0x40002120u)
#define UARTE_SHORTS EAR_REGISTER(0x40002200u)
#define UARTE_INTENSET EAR_REGISTER(0x40002304u)
#define UARTE_INTENCLR EAR_REGISTER(0x40002308u)
#define UARTE_INTEN_ENDRX (1u << 4)
#define UARTE_ENABLE EAR_REGISTER(0x40002500u)
#define UARTE_ENABLE_OFF 0u
#define UARTE_ENABLE_EASYDMA 8u
#define UARTE_PSEL_RTS EAR_REGISTER(0x40002508u)
#define UARTE_PSEL_TXD EAR_REGISTER(0x4000250Cu)
#define UARTE_PSEL_CTS EAR_REGISTER(0x40002510u)
#define UARTE_PSEL_RXD EAR_REGISTER(0x40002514u)
#define UARTE_PSEL_NONE 0xFFFFFFFFu
#define UARTE_BAUDRATE EAR_REGISTER(0x40002524u)
#define UARTE_RXD ((dma_t *)0x40002534u)
#define UARTE_TXD ((dma_t *)0x40002544u)
#define UARTE_CONFIG EAR_REGISTER(0x4000256Cu)
#define UARTE_CONFIG_8N1 0u

/* The rates that come within one percent of their name; that of 921600 does not. */
#if EAR_PORT_BAUD == 115200u
#define BAUDRATE 0x01D60000u
#elif EAR_PORT_BAUD == 230400u
#define BAUDRATE 0x03B00000u
#elif EAR_PORT_BAUD == 460800u
#define BAUDRATE 0x07400000u
#elif EAR_PORT_BAUD == 1000000u
#define BAUDRATE 0x10000000u
#else
#error "baud: UARTE keeps 115200, 230400, 460800 and 1000000"
#endif

#define SEND_BYTES 64u

static volatile uint8_t arrived;

/* EasyDMA reads RAM and not flash, where constants lie: all is sent from here. One buffer is filled
 * while the other is sent. */
static uint8_t sending[2][SEND_BYTES];
static uint32_t filling;
static bool busy;

void ear_port_uarte_interrupt(void) {
    ear_event_clear(&UARTE_EVENTS_ENDRX);
    const uint8_t byte = arrived;
    UARTE_TASKS_STARTRX = 1u;
    ear_port_received(byte);
}

static void start_ticks(void) {
    TIMER_MODE = TIMER_MODE_TIMER;
    TIMER_BITMODE = TIMER_BITMODE_32;
    TIMER_PRESCALER = 0u;
    TIMER_TASKS_START = 1u;
}

/* Without a crystal that starts, the internal oscillator goes on: the line may still be read, and
 * the host sees that ticks are off. */
static void start_crystal(void) {
    CLOCK_TASKS_HFCLKSTART = 1u;
    const uint32_t begin = ear_port_ticks();
    while ((CLOCK_HFCLKSTAT & CLOCK_HFCLKSTAT_CRYSTAL) != CLOCK_HFCLKSTAT_CRYSTAL) {
        if (ear_port_ticks() - begin > CRYSTAL_WAIT_TICKS) {
            ear_port_say("the 32 MHz crystal does not start\n");
            return;
        }
    }
}

/* Erratum 249: the debug port is open only if UICR and the program both say so. Where UICR does,
 * the program does not lock out what has to write the next one. */
static void leave_debug_port_open(void) {
    if ((UICR_APPROTECT & 0xFFu) == APPROTECT_OPEN) {
        APPROTECT_DISABLE = APPROTECT_OPEN;
    }
}

static void start_uarte(void) {
    /* A boot loader may have used it. */
    UARTE_INTENCLR = 0xFFFFFFFFu;
    UARTE_ENABLE = UARTE_ENABLE_OFF;
    UARTE_SHORTS = 0u;

    EAR_PIN_OUTSET(EAR_PORT_UART_TX_PIN) = EAR_PIN_BIT(EAR_PORT_UART_TX_PIN);
    EAR_PIN_CNF(EAR_PORT_UART_TX_PIN) = EAR_PIN_OUTPUT;
    EAR_PIN_CNF(EAR_PORT_UART_RX_PIN) = EAR_PIN_INPUT_PULL_UP;
    UARTE_PSEL_TXD = EAR_PORT_UART_TX_PIN;
    UARTE_PSEL_RXD = EAR_PORT_UART_RX_PIN;
    UARTE_PSEL_RTS = UARTE_PSEL_NONE;
    UARTE_PSEL_CTS = UARTE_PSEL_NONE;
    UARTE_BAUDRATE = BAUDRATE;
    UARTE_CONFIG = UARTE_CONFIG_8N1;
    UARTE_ENABLE = UARTE_ENABLE_EASYDMA;

    UARTE_EVENTS_ENDRX = 0u;
    UARTE_RXD->pointer = (uint32_t)(uintptr_t)&arrived;
    UARTE_RXD->maximum = 1u;
    UARTE_INTENSET = UARTE_INTEN_ENDRX;
    UARTE_TASKS_STARTRX = 1u;
    ear_irq_enable(EAR_PORT_UART_RX_IRQ);
}

void ear_port_init(void) {
    NVMC_ICACHECNF = NVMC_ICACHECNF_ENABLED;
    leave_debug_port_open();
    start_ticks();
    start_crystal();
    start_uarte();
    /* An emulated UART loses, or holds back, what comes before it is enabled: say that it is. */
    ear_port_say("ready\n");
}

static void send(const uint8_t *from, uint32_t count) {
    while (busy && UARTE_EVENTS_ENDTX == 0u) {
    }
    UARTE_EVENTS_ENDTX = 0u;
    UARTE_TXD->pointer = (uint32_t)(uintptr_t)from;
    UARTE_TXD->maximum = count;
    ear_dma_fence();
    UARTE_TASKS_STARTTX = 1u;
    busy = true;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    while (count > 0u) {
        uint8_t *to = sending[filling];
        const size_t piece = count < SEND_BYTES ? count : SEND_BYTES;
        for (size_t i = 0; i < piece; i++) {
            to[i] = bytes[i];
        }
        send(to, (uint32_t)piece);
        filling ^= 1u;
        bytes += piece;
        count -= piece;
    }
}

uint32_t ear_port_ticks(void) {
    TIMER_TASKS_CAPTURE = 1u;
    return TIMER_CC;
}
