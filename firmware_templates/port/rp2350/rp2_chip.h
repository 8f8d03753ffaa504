/* RP2350: where its blocks are, and the bits that differ from the RP2040's. RP2350 datasheet: 2.2
 * (address map), 3.2 (interrupts), 7.5.3 (resets), 8.5.2 (tick generators), 12.6.10 (DMA). */
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
#define DMA_BASE 0x50000000u
#define PIO0_BASE 0x50200000u

#define RESET_DMA (1u << 2)
#define RESET_PIO0 (1u << 11)
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

#define DMA_IRQ 10u

/* CTRL of a DMA channel */
#define DMA_WRITE_ON (1u << 6) /* from address to address */
#define DMA_WRITE_RING(bits) ((bits) << 8 | 1u << 12)
#define DMA_CHAIN_TO(channel) ((channel) << 13)
#define DMA_PACED_BY(request) ((request) << 17)
#define DMA_NO_INTERRUPT (1u << 23)

#endif
