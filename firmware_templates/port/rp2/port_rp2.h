/* What the files of this port share. Registers: RP2040 datasheet, where the RP2350's says the same. */
#ifndef EAR_PORT_RP2_H
#define EAR_PORT_RP2_H

#include <stdint.h>

#include "board_config.h"
#include "rp2_chip.h"

#define EAR_REGISTER(address) (*(volatile uint32_t *)(address))
/* Every register is seen three times more (2.1.2): what is written there sets or clears its bits. */
#define EAR_SET_BITS(address) EAR_REGISTER((address) + 0x2000u)
#define EAR_CLEAR_BITS(address) EAR_REGISTER((address) + 0x3000u)

/* 2.19.6.3: Schmitt trigger, 4 mA, input too; written on an RP2350, no longer isolated either. */
#define EAR_PAD_PLAIN 0x52u
#define EAR_PAD_PULLED_UP (EAR_PAD_PLAIN | 1u << 3)

/* Take blocks, as RESETS has them, out of their reset, and wait until they are. 2.14 */
void ear_rp2_start_blocks(uint32_t blocks);

/* Give a pin to a peripheral. 2.19.2 */
void ear_rp2_pin(uint32_t pin, uint32_t function, uint32_t pad);

#endif
