/* Raspberry Pi RP2040 and RP2350: crystal and system PLL, protocol on UART0, received bytes by
 * interrupt, ticks from the timer, which counts microseconds.
 *
 * Registers: RP2040 datasheet 2.14 (resets), 2.15 (clocks), 2.16 (crystal oscillator), 2.18 (PLL),
 * 2.19 (GPIO), 4.2 (UART, Arm's PL011), 4.6 (timer); the RP2350's are the same but for what
 * rp2_chip.h has. */
#include "port.h"
#include "port_cortex_m.h"
#include "port_rp2.h"
#include "port_vectors.h"

#define XTAL_HZ 12000000u /* on both boards */
_Static_assert((uint64_t)EAR_PORT_CPU_HZ * EAR_PORT_PLL_DIVIDER_1 * EAR_PORT_PLL_DIVIDER_2 ==
                   (uint64_t)XTAL_HZ * EAR_PORT_PLL_FEEDBACK,
               "cpu_hz: 12 MHz, times pll_feedback, through both dividers");
_Static_assert(EAR_PORT_TICKS_HZ == 1000000u, "the timer counts microseconds");

#define RESETS_RESET (RESETS_BASE + 0x0u)
#define RESETS_DONE (RESETS_BASE + 0x8u)

#define XOSC_CTRL (XOSC_BASE + 0x0u)
#define XOSC_STATUS (XOSC_BASE + 0x4u)
#define XOSC_STARTUP (XOSC_BASE + 0xCu)
#define XOSC_ENABLE_1_TO_15_MHZ 0x00FABAA0u
#define XOSC_STABLE (1u << 31)
#define XOSC_DELAY (XTAL_HZ / 1000u / 256u + 1u) /* at least 1 ms, in 256 periods */

#define PLL_CS (PLL_SYS_BASE + 0x0u)
#define PLL_POWER (PLL_SYS_BASE + 0x4u)
#define PLL_FEEDBACK (PLL_SYS_BASE + 0x8u)
#define PLL_DIVIDERS (PLL_SYS_BASE + 0xCu)
#define PLL_CS_LOCK (1u << 31)
#define PLL_POWER_DOWN (1u << 0 | 1u << 5) /* of the PLL, and of its VCO */
#define PLL_POWER_DOWN_DIVIDERS (1u << 3)

#define CLK_REF_CTRL (CLOCKS_BASE + 0x30u)
#define CLK_REF_SELECTED (CLOCKS_BASE + 0x38u)
#define CLK_SYS_CTRL (CLOCKS_BASE + 0x3Cu)
#define CLK_SYS_SELECTED (CLOCKS_BASE + 0x44u)
#define CLK_PERI_CTRL (CLOCKS_BASE + 0x48u)
#define CLK_REF_XOSC 2u
#define CLK_SYS_REF 0u
#define CLK_SYS_AUX 1u /* and AUXSRC 0: the system PLL */
#define CLK_PERI_ENABLE (1u << 11) /* and AUXSRC 0: clk_sys */

#define PAD(pin) (PADS_BANK0_BASE + 4u + 4u * (pin))
#define FUNCTION(pin) (IO_BANK0_BASE + 4u + 8u * (pin))
#define FUNCTION_UART 2u

#define TIMER_RAW_LOW EAR_REGISTER(TIMER_BASE + 0x28u)

typedef struct {
    volatile uint32_t data;
    volatile uint32_t errors;
    uint32_t reserved_08[4];
    volatile uint32_t flags;
    uint32_t reserved_1c[2];
    volatile uint32_t baud_whole;
    volatile uint32_t baud_64ths;
    volatile uint32_t line_control;
    volatile uint32_t control;
    volatile uint32_t fifo_levels;
    volatile uint32_t interrupt_mask;
} pl011_t;

#define UART ((pl011_t *)UART0_BASE)

#define UART_FLAG_RX_EMPTY (1u << 4)
#define UART_FLAG_TX_FULL (1u << 5)
#define UART_8_BITS_FIFOS (3u << 5 | 1u << 4)
#define UART_ENABLE_RX_TX (1u << 0 | 1u << 8 | 1u << 9)
#define UART_RX_AT_AN_EIGHTH 0u
/* Enough received, and something received but nothing more for 32 bits' time. */
#define UART_INTERRUPT_RX (1u << 4 | 1u << 6)
/* The divider in 64ths, rounded. */
#define UART_DIVIDER ((4u * EAR_PORT_CPU_HZ + EAR_PORT_BAUD / 2u) / EAR_PORT_BAUD)

/* Both interrupts end when the FIFO has been read so far, and are never cleared otherwise: so what
 * stays in it while the ring is full interrupts again. The window that HELLO announces is the ring;
 * what exceeds both is lost, as this UART has no handshake. */
void ear_port_uart_rx_interrupt(void) {
    while ((UART->flags & UART_FLAG_RX_EMPTY) == 0u) {
        if (!ear_port_received((uint8_t)UART->data)) {
            return;
        }
    }
}

void ear_rp2_start_blocks(uint32_t blocks) {
    EAR_CLEAR_BITS(RESETS_RESET) = blocks;
    while ((EAR_REGISTER(RESETS_DONE) & blocks) != blocks) {
    }
}

void ear_rp2_pin(uint32_t pin, uint32_t function, uint32_t pad) {
    EAR_REGISTER(FUNCTION(pin)) = function;
    EAR_REGISTER(PAD(pin)) = pad;
}

static void start_crystal(void) {
    EAR_REGISTER(XOSC_STARTUP) = XOSC_DELAY;
    EAR_REGISTER(XOSC_CTRL) = XOSC_ENABLE_1_TO_15_MHZ;
    while ((EAR_REGISTER(XOSC_STATUS) & XOSC_STABLE) == 0u) {
    }
}

static void start_pll(void) {
    EAR_SET_BITS(RESETS_RESET) = RESET_PLL_SYS; /* as it was after power came */
    ear_rp2_start_blocks(RESET_PLL_SYS);
    EAR_REGISTER(PLL_CS) = 1u; /* the crystal's clock undivided */
    EAR_REGISTER(PLL_FEEDBACK) = EAR_PORT_PLL_FEEDBACK;
    EAR_CLEAR_BITS(PLL_POWER) = PLL_POWER_DOWN;
    while ((EAR_REGISTER(PLL_CS) & PLL_CS_LOCK) == 0u) {
    }
    EAR_REGISTER(PLL_DIVIDERS) = EAR_PORT_PLL_DIVIDER_1 << 16 | EAR_PORT_PLL_DIVIDER_2 << 12;
    EAR_CLEAR_BITS(PLL_POWER) = PLL_POWER_DOWN_DIVIDERS;
}

/* The source that a clock has changed to shows as a bit. */
static void wait_for_clock(uint32_t selected, uint32_t source) {
    while (EAR_REGISTER(selected) != 1u << source) {
    }
}

static void select_clock(uint32_t control, uint32_t selected, uint32_t source) {
    EAR_REGISTER(control) = source;
    wait_for_clock(selected, source);
}

static void start_clocks(void) {
    start_crystal();
    select_clock(CLK_REF_CTRL, CLK_REF_SELECTED, CLK_REF_XOSC);
    /* Only the choice is glitchless, not what is behind the one in use: leave that first. */
    EAR_CLEAR_BITS(CLK_SYS_CTRL) = CLK_SYS_AUX;
    wait_for_clock(CLK_SYS_SELECTED, CLK_SYS_REF);
    start_pll();
    select_clock(CLK_SYS_CTRL, CLK_SYS_SELECTED, CLK_SYS_AUX);
    EAR_REGISTER(CLK_PERI_CTRL) = CLK_PERI_ENABLE;
    RP2_START_TICK(XTAL_HZ / EAR_PORT_TICKS_HZ);
    ear_rp2_start_blocks(RESET_TIMER);
}

static void start_uart(void) {
    ear_rp2_start_blocks(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    UART->baud_whole = UART_DIVIDER / 64u;
    UART->baud_64ths = UART_DIVIDER % 64u;
    /* Writing it also takes over the divider. */
    UART->line_control = UART_8_BITS_FIFOS;
    UART->fifo_levels = UART_RX_AT_AN_EIGHTH;
    UART->control = UART_ENABLE_RX_TX;
    ear_rp2_pin(EAR_PORT_UART_TX_PIN, FUNCTION_UART, EAR_PAD_PLAIN);
    ear_rp2_pin(EAR_PORT_UART_RX_PIN, FUNCTION_UART, EAR_PAD_PULLED_UP); /* where nothing is */
    UART->interrupt_mask = UART_INTERRUPT_RX;
    ear_irq_enable(EAR_PORT_UART_RX_IRQ);
}

void ear_port_init(void) {
    start_clocks();
    start_uart();
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while ((UART->flags & UART_FLAG_TX_FULL) != 0u) {
        }
        UART->data = bytes[i];
    }
}

uint32_t ear_port_ticks(void) {
    return TIMER_RAW_LOW;
}
