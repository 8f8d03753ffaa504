/* RP2040: where its blocks are, and the bits that differ from the RP2350's. RP2040 datasheet: 2.2
 * (address map), 2.3.2 (interrupts), 2.5.7 (DMA), 2.14.3 (resets), 4.7.2 (tick of the watchdog). */
#ifndef RP2_CHIP_H
#define RP2_CHIP_H

#define CLOCKS_BASE 0x40008000u
#define RESETS_BASE 0x4000C000u
#define IO_BANK0_BASE 0x40014000u
#define PADS_BANK0_BASE 0x4001C000u
#define XOSC_BASE 0x40024000u
#define PLL_SYS_BASE 0x40028000u
#define UART0_BASE 0x40034000u
#define TIMER_BASE 0x40054000u
#define WATCHDOG_BASE 0x40058000u
#define DMA_BASE 0x50000000u
#define PIO0_BASE 0x50200000u

#define RESET_DMA (1u << 2)
#define RESET_PIO0 (1u << 10)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)

/* The watchdog's divider of clk_ref is what the timer counts. */
#define WATCHDOG_TICK (*(volatile uint32_t *)(WATCHDOG_BASE + 0x2Cu))
#define WATCHDOG_TICK_ENABLE (1u << 9)

#define RP2_START_TICK(cycles) (WATCHDOG_TICK = WATCHDOG_TICK_ENABLE | (cycles))

#define DMA_IRQ 11u

/* CTRL of a DMA channel */
#define DMA_WRITE_ON (1u << 5) /* from address to address */
#define DMA_WRITE_RING(bits) ((bits) << 6 | 1u << 10)
#define DMA_CHAIN_TO(channel) ((channel) << 11)
#define DMA_PACED_BY(request) ((request) << 15)
#define DMA_NO_INTERRUPT (1u << 21)

#endif
