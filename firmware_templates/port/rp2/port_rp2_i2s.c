/* Raspberry Pi RP2040 and RP2350: a microphone that speaks I2S, such as an INMP441, at 16 kHz.
 *
 * A state machine of PIO0 is the clock of the line and takes one of its two channels, DMA carries
 * the samples to a ring. RP2040 datasheet: 2.5 (DMA), 3 (PIO). TDK InvenSense DS-INMP441, "I2S data
 * interface": 64 periods of SCK a frame, 24 bits behind one of delay, highest first, that change
 * after SCK falls. */
#include <stdatomic.h>
#include <stdbool.h>

#include "port.h"
#include "port_cortex_m.h"
#include "port_rp2.h"
#include "port_vectors.h"

#if EAR_PORT_MICROPHONE_I2S

#define PIO_CTRL (PIO0_BASE + 0x00u)
#define PIO_RX (PIO0_BASE + 0x20u)
#define PIO_PROGRAM (PIO0_BASE + 0x48u)
#define PIO_CLOCK_DIVIDER (PIO0_BASE + 0xC8u)
#define PIO_EXEC_CONTROL (PIO0_BASE + 0xCCu)
#define PIO_SHIFT_CONTROL (PIO0_BASE + 0xD0u)
#define PIO_EXECUTE (PIO0_BASE + 0xD8u)
#define PIO_PINS (PIO0_BASE + 0xDCu)
#define FUNCTION_PIO0 6u
#define PIO_RX_REQUEST 4u /* DREQ_PIO0_RX0 */

#define SAMPLE_HZ 16000u
#define FRAME_STEPS 128u /* 32 bits for each of 2 channels, 2 instructions for each bit */
/* In 256ths: 61 9/256 of 125 MHz, 73 62/256 of 150 MHz, both exactly. */
#define DIVIDER ((uint32_t)(256ull * EAR_PORT_CPU_HZ / (SAMPLE_HZ * FRAME_STEPS)))
_Static_assert((uint64_t)DIVIDER * SAMPLE_HZ * FRAME_STEPS == 256ull * EAR_PORT_CPU_HZ,
               "cpu_hz: gives no 16 kHz exactly");

#define RIGHT EAR_PORT_MICROPHONE_I2S_RIGHT
/* Each instruction sets SCK, and WS: 0 for the channel that is kept, turned where it is the right. */
#define SIDE(other, sck) (((other) ^ RIGHT) << 12 | (sck) << 11)
#define IN_PINS_1 0x4001u
#define JUMP_X_COUNTS_DOWN(to) (0x0040u | (to))
#define SET_X(value) (0xE020u | (value))
#define SET_PIN_DIRECTIONS(mask) (0xE080u | (mask))
#define NOTHING 0xA042u

/* SCK falls and rises in each bit's time; WS changes one bit before its channel's first. */
static const uint16_t program[] = {
    SET_X(29u) | SIDE(0u, 0u),             /*     set x, 29       bit 0 of the channel kept */
    IN_PINS_1 | SIDE(0u, 1u),              /* 1:  in pins, 1      bits 0 to 29 */
    JUMP_X_COUNTS_DOWN(1u) | SIDE(0u, 0u), /*     jmp x-- 1 */
    IN_PINS_1 | SIDE(0u, 1u),              /*     in pins, 1      bit 30 */
    SET_X(29u) | SIDE(1u, 0u),             /*     set x, 29 */
    IN_PINS_1 | SIDE(1u, 1u),              /*     in pins, 1      bit 31 */
    NOTHING | SIDE(1u, 0u),                /*     nop             bit 0 of the other channel */
    NOTHING | SIDE(1u, 1u),                /* 7:  nop             bits 0 to 29 */
    JUMP_X_COUNTS_DOWN(7u) | SIDE(1u, 0u), /*     jmp x-- 7 */
    NOTHING | SIDE(1u, 1u),                /*     nop             bit 30 */
    NOTHING | SIDE(0u, 0u),                /*     nop */
    NOTHING | SIDE(0u, 1u),                /*     nop             bit 31 */
};

#define PROGRAM_STEPS (sizeof program / sizeof program[0])
#define WRAP_FROM_TO(last, first) ((last) << 12 | (first) << 7)
#define SHIFT_LEFT_PUSH_AT_32 (1u << 16)
#define JOIN_RX (1u << 31) /* its FIFO is 8 words deep */
#define PINS(sck, sd) (2u << 29 | 2u << 26 | (sd) << 15 | (sck) << 10 | (sck) << 5)

#define DMA_CHANNEL(number) (DMA_BASE + 0x40u * (number))
#define DMA_READ(number) (DMA_CHANNEL(number) + 0x00u)
#define DMA_WRITE(number) (DMA_CHANNEL(number) + 0x04u)
#define DMA_COUNT(number) (DMA_CHANNEL(number) + 0x08u)
#define DMA_CONTROL_START(number) (DMA_CHANNEL(number) + 0x0Cu)
#define DMA_CONTROL(number) (DMA_CHANNEL(number) + 0x10u)
#define DMA_COUNT_START(number) (DMA_CHANNEL(number) + 0x1Cu)
#define DMA_INTERRUPT_ENABLE (DMA_BASE + 0x404u)
#define DMA_INTERRUPT_STATUS (DMA_BASE + 0x40Cu)
#define DMA_ENABLED_WORDS (1u << 0 | 2u << 2)
#define DMA_AT_ONCE 63u
#define SAMPLES 0u /* the channel that carries them */
#define AGAIN 1u   /* the one that starts it again after each block */

#define RING_SAMPLES EAR_PORT_MICROPHONE_I2S_BUFFER_SAMPLES
#define BLOCK_SAMPLES 128u /* 8 ms: an interrupt each, which also ends a sleep */
_Static_assert((RING_SAMPLES & (RING_SAMPLES - 1u)) == 0u, "buffer_samples: a power of two");
_Static_assert(RING_SAMPLES >= 2u * BLOCK_SAMPLES && RING_SAMPLES <= 8192u,
               "buffer_samples: 256 to 8192, as DMA wraps at 32 KiB at most");
_Static_assert(EAR_PORT_MICROPHONE_I2S_GAIN_BITS <= 8u, "gain_bits: 0 to 8");

/* Words as they come: 24 bits, and 8 that no one drives. DMA wraps only what is aligned. */
static _Alignas(4u * RING_SAMPLES) volatile uint32_t ring[RING_SAMPLES];
static const uint32_t block_samples = BLOCK_SAMPLES;
/* Both count samples from the start on; the interrupt writes `head`, the program `tail`. */
static volatile uint32_t head;
static uint32_t tail;
static bool started;

void ear_port_dma_interrupt(void) {
    EAR_REGISTER(DMA_INTERRUPT_STATUS) = 1u << SAMPLES;
    head += BLOCK_SAMPLES;
}

static uint32_t address(const volatile void *of) {
    return (uint32_t)(uintptr_t)of;
}

static uint32_t bits_of(uint32_t bytes) {
    uint32_t bits = 0;
    while (1u << bits < bytes) {
        bits++;
    }
    return bits;
}

static void start_dma(void) {
    EAR_REGISTER(DMA_READ(AGAIN)) = address(&block_samples);
    EAR_REGISTER(DMA_WRITE(AGAIN)) = DMA_COUNT_START(SAMPLES);
    EAR_REGISTER(DMA_COUNT(AGAIN)) = 1u;
    EAR_REGISTER(DMA_CONTROL(AGAIN)) =
        DMA_ENABLED_WORDS | DMA_CHAIN_TO(AGAIN) | DMA_PACED_BY(DMA_AT_ONCE) | DMA_NO_INTERRUPT;
    EAR_REGISTER(DMA_READ(SAMPLES)) = PIO_RX;
    EAR_REGISTER(DMA_WRITE(SAMPLES)) = address(ring);
    EAR_REGISTER(DMA_COUNT(SAMPLES)) = BLOCK_SAMPLES;
    EAR_REGISTER(DMA_INTERRUPT_ENABLE) = 1u << SAMPLES;
    EAR_REGISTER(DMA_CONTROL_START(SAMPLES)) =
        DMA_ENABLED_WORDS | DMA_WRITE_ON | DMA_WRITE_RING(bits_of(sizeof ring)) |
        DMA_CHAIN_TO(AGAIN) | DMA_PACED_BY(PIO_RX_REQUEST);
    ear_irq_enable(DMA_IRQ);
}

static void start_pio(void) {
    for (uint32_t i = 0; i < PROGRAM_STEPS; i++) {
        EAR_REGISTER(PIO_PROGRAM + 4u * i) = program[i];
    }
    EAR_REGISTER(PIO_CLOCK_DIVIDER) = DIVIDER << 8;
    EAR_REGISTER(PIO_EXEC_CONTROL) = WRAP_FROM_TO(PROGRAM_STEPS - 1u, 0u);
    EAR_REGISTER(PIO_SHIFT_CONTROL) = SHIFT_LEFT_PUSH_AT_32 | JOIN_RX;
    EAR_REGISTER(PIO_PINS) =
        PINS(EAR_PORT_MICROPHONE_I2S_CLOCK_PIN, EAR_PORT_MICROPHONE_I2S_DATA_PIN);
    EAR_REGISTER(PIO_EXECUTE) = SET_PIN_DIRECTIONS(3u) | SIDE(0u, 0u);
    ear_rp2_pin(EAR_PORT_MICROPHONE_I2S_CLOCK_PIN, FUNCTION_PIO0, EAR_PAD_PLAIN);
    ear_rp2_pin(EAR_PORT_MICROPHONE_I2S_CLOCK_PIN + 1u, FUNCTION_PIO0, EAR_PAD_PLAIN);
    ear_rp2_pin(EAR_PORT_MICROPHONE_I2S_DATA_PIN, FUNCTION_PIO0, EAR_PAD_PLAIN);
    EAR_REGISTER(PIO_CTRL) = 1u; /* state machine 0 */
}

static void start(void) {
    ear_rp2_start_blocks(RESET_DMA | RESET_PIO0);
    start_dma();
    start_pio();
}

static int16_t sample_of(uint32_t word) {
    const uint32_t shift = 16u - EAR_PORT_MICROPHONE_I2S_GAIN_BITS;
    const int32_t value = (int32_t)word >> shift;
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value);
}

/* Samples begin to be taken with the first call; the first ones are of a microphone that wakes. Of
 * more than the ring holds the oldest are lost. */
size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    if (!started) {
        started = true;
        start();
    }
    const uint32_t end = head;
    /* DMA is at work on the block behind `end`, which is where the oldest one was. */
    if (end - tail > RING_SAMPLES - BLOCK_SAMPLES) {
        tail = end - (RING_SAMPLES - BLOCK_SAMPLES);
    }
    size_t count = end - tail;
    if (count > capacity) {
        count = capacity;
    }
    atomic_signal_fence(memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        samples[i] = sample_of(ring[(tail + i) % RING_SAMPLES]);
    }
    tail += (uint32_t)count;
    return count;
}

#endif
