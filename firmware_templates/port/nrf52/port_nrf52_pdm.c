/* Nordic nRF52840: a digital microphone on PDM, 16 kHz. nRF52840_PS 6.18.
 *
 * 32 MHz / 25 is the microphone's clock, 1.28 MHz, and that / 80 is 16 kHz, exactly; the other
 * ratio, 64, has no setting that gives 16 kHz (its nearest gives 16.129 kHz). */
#include "port.h"
#include "port_cortex_m.h"
#include "port_nrf52.h"
#include "port_samples.h"
#include "port_vectors.h"

#if EAR_PORT_MICROPHONE_PDM

#define PDM_TASKS_START EAR_REGISTER(0x4001D000u)
#define PDM_EVENTS_STARTED EAR_REGISTER(0x4001D100u)
#define PDM_INTENSET EAR_REGISTER(0x4001D304u)
#define PDM_INTEN_STARTED (1u << 0)
#define PDM_ENABLE EAR_REGISTER(0x4001D500u)
#define PDM_ENABLE_ON 1u
#define PDM_PDMCLKCTRL EAR_REGISTER(0x4001D504u)
#define PDM_PDMCLKCTRL_1280K 0x0A000000u
#define PDM_MODE EAR_REGISTER(0x4001D508u)
#define PDM_MODE_MONO (1u << 0)
#define PDM_MODE_LEFT_RISING (1u << 1) /* what follows a rising edge is taken as left, and kept */
#define PDM_GAINL EAR_REGISTER(0x4001D518u)
#define PDM_GAINR EAR_REGISTER(0x4001D51Cu)
#define PDM_RATIO EAR_REGISTER(0x4001D520u)
#define PDM_RATIO_80 1u
#define PDM_PSEL_CLK EAR_REGISTER(0x4001D540u)
#define PDM_PSEL_DIN EAR_REGISTER(0x4001D544u)
#define PDM_SAMPLE_PTR EAR_REGISTER(0x4001D560u)
#define PDM_SAMPLE_MAXCNT EAR_REGISTER(0x4001D564u)

#define NO_PIN 0xFFFFFFFFu
#define BLOCK_SAMPLES 128u
#define RING_SAMPLES EAR_PORT_MICROPHONE_PDM_BUFFER_SAMPLES

_Static_assert((RING_SAMPLES & (RING_SAMPLES - 1u)) == 0u, "buffer_samples: a power of two");
_Static_assert(RING_SAMPLES >= BLOCK_SAMPLES, "buffer_samples: at least a block");
_Static_assert(EAR_PORT_MICROPHONE_PDM_GAIN <= 80u, "gain: 0 to 80");

/* EasyDMA fills one block while the other is copied to the ring. */
static int16_t blocks[2][BLOCK_SAMPLES];
static uint32_t begun;

static int16_t ring[RING_SAMPLES];
static ear_samples_t kept = {.ring = ring, .size = RING_SAMPLES};
static volatile uint32_t lost;
static bool started;

static void keep(const int16_t *block) {
    lost += BLOCK_SAMPLES - ear_samples_keep(&kept, block, BLOCK_SAMPLES);
}

/* Each block begins with STARTED, which says that SAMPLE.PTR was taken and may be written for the
 * next one: the block before, which is full. The interrupt may be late by a block, 8 ms. */
void ear_port_pdm_interrupt(void) {
    ear_event_clear(&PDM_EVENTS_STARTED);
    int16_t *other = blocks[(begun + 1u) % 2u];
    PDM_SAMPLE_PTR = (uint32_t)(uintptr_t)other;
    ear_dma_fence();
    if (begun > 0u) {
        keep(other);
    }
    begun++;
}

static void start(void) {
    if (EAR_PORT_MICROPHONE_PDM_POWER_PIN != NO_PIN) {
        EAR_PIN_OUTSET(EAR_PORT_MICROPHONE_PDM_POWER_PIN) =
            EAR_PIN_BIT(EAR_PORT_MICROPHONE_PDM_POWER_PIN);
        EAR_PIN_CNF(EAR_PORT_MICROPHONE_PDM_POWER_PIN) = EAR_PIN_OUTPUT;
    }
    EAR_PIN_OUTCLR(EAR_PORT_MICROPHONE_PDM_CLOCK_PIN) =
        EAR_PIN_BIT(EAR_PORT_MICROPHONE_PDM_CLOCK_PIN);
    EAR_PIN_CNF(EAR_PORT_MICROPHONE_PDM_CLOCK_PIN) = EAR_PIN_OUTPUT;
    EAR_PIN_CNF(EAR_PORT_MICROPHONE_PDM_DATA_PIN) = EAR_PIN_INPUT;
    PDM_PSEL_CLK = EAR_PORT_MICROPHONE_PDM_CLOCK_PIN;
    PDM_PSEL_DIN = EAR_PORT_MICROPHONE_PDM_DATA_PIN;
    PDM_PDMCLKCTRL = PDM_PDMCLKCTRL_1280K;
    PDM_RATIO = PDM_RATIO_80;
    PDM_MODE = PDM_MODE_MONO | (EAR_PORT_MICROPHONE_PDM_RIGHT ? PDM_MODE_LEFT_RISING : 0u);
    PDM_GAINL = EAR_PORT_MICROPHONE_PDM_GAIN;
    PDM_GAINR = EAR_PORT_MICROPHONE_PDM_GAIN;
    PDM_SAMPLE_PTR = (uint32_t)(uintptr_t)blocks[0];
    PDM_SAMPLE_MAXCNT = BLOCK_SAMPLES;
    PDM_ENABLE = PDM_ENABLE_ON;
    PDM_EVENTS_STARTED = 0u;
    PDM_INTENSET = PDM_INTEN_STARTED;
    ear_irq_enable(EAR_PORT_PDM_IRQ);
    PDM_TASKS_START = 1u;
}

/* Samples begin to be taken with the first call; the first ones are of a microphone that wakes. */
size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    if (!started) {
        started = true;
        start();
    }
    return ear_samples_take(&kept, samples, capacity);
}

#endif
