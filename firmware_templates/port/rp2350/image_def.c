/* What the boot ROM looks for in the first 4 KiB of the flash: without it nothing is started.
 * RP2350 datasheet: 5.1.4 (image definitions), 5.9 (metadata blocks), 5.9.5.1 (the least one). */
#include <stdint.h>

#define BLOCK_START 0xFFFFDED3u
#define BLOCK_END 0xAB123579u
/* Item 0x42 of one word, image type: an executable (1), for Arm's secure state (2 << 4), on an
 * RP2350 (1 << 12). With no other item the vector table is at the start of the image. */
#define ITEM_IMAGE_TYPE (0x42u | 1u << 8 | (1u | 2u << 4 | 1u << 12) << 16)
/* Item 0xFF, the last: the words of all items before it. */
#define ITEM_LAST (0xFFu | 1u << 8)
/* The next block of the loop, relative: this one again. */
#define LOOP 0u

__attribute__((section(".boot_block"), used)) static const uint32_t image_def[] = {
    BLOCK_START, ITEM_IMAGE_TYPE, ITEM_LAST, LOOP, BLOCK_END,
};
