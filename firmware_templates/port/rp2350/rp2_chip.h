/* RP2350: where its blocks are, and the bits that differ from the RP2040's. RP2350 datasheet: 2.2
 * (address map), 7.5.3 (resets), 8.5.2 (tick generators). */
#ifndef RP2_CHIP_H
#define RP2_CHIP_H

#define CLOCKS_BASE 0x40010000u
#define RESETS_BASE 0x40020000u
#define IO_BANK0_BASE 0x40028000u
#define PADS_BANK0_BASE 0x40038000u
#define XOSC_BASE 0x40048000u
#define PLL_SYS_BASE 0x40050000u
#define UART0_BASE 0x40070000u
#define TIMER_BASE 0x400B0000u
#define TICKS_BASE 0x40108000u

#define RESET_IO_BANK0 (1u << 6)
#define RESET_PADS_BANK0 (1u << 9)
#define RESET_PLL_SYS (1u << 14)
#define RESET_TIMER (1u << 23)
#define RESET_UART0 (1u << 26)

/* TIMER0 has a divider of clk_ref to itself. */
#define TICKS_TIMER0_CTRL (*(volatile uint32_t *)(TICKS_BASE + 0x18u))
#define TICKS_TIMER0_CYCLES (*(volatile uint32_t *)(TICKS_BASE + 0x1Cu))
#define TICKS_CTRL_ENABLE (1u << 0)

#define RP2_START_TICK(cycles) \
    (TICKS_TIMER0_CYCLES = (cycles), TICKS_TIMER0_CTRL = TICKS_CTRL_ENABLE)

#endif
