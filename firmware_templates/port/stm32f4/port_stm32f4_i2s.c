/* STM32F4: a microphone on SPI2 as I2S2, 16 kHz: a digital one that speaks pulse density, or I2S.
 *
 * Either way the bit clock is 1.024 MHz: 64 bits of pulse density, or two channels of 32 bits, are a
 * sample. A DMA stream fills a buffer in a circle; each half of it becomes samples in an interrupt
 * that the USART's may interrupt. Registers: ST RM0090, RCC (7.3), DMA (10.5), SPI and I2S (28.5);
 * how a microphone of pulse density is wired to I2S: ST AN3998. */
#include "port.h"
#include "port_cortex_m.h"
#include "port_samples.h"
#include "port_vectors.h"
#include "stm32.h"

#if EAR_PORT_MICROPHONE_PDM || EAR_PORT_MICROPHONE_I2S

#if EAR_PORT_MICROPHONE_PDM
#include "ear_pdm.h"
#define CLOCK_GPIO EAR_PORT_MICROPHONE_PDM_CLOCK_GPIO_BASE
#define CLOCK_PIN EAR_PORT_MICROPHONE_PDM_CLOCK_PIN
#define DATA_GPIO EAR_PORT_MICROPHONE_PDM_DATA_GPIO_BASE
#define DATA_PIN EAR_PORT_MICROPHONE_PDM_DATA_PIN
#define GAIN_BITS EAR_PORT_MICROPHONE_PDM_GAIN_BITS
#define RING_SAMPLES EAR_PORT_MICROPHONE_PDM_BUFFER_SAMPLES
#define OWN_DIVIDER EAR_PORT_MICROPHONE_PDM_OWN_DIVIDER
#else
#define CLOCK_GPIO EAR_PORT_MICROPHONE_I2S_CLOCK_GPIO_BASE
#define CLOCK_PIN EAR_PORT_MICROPHONE_I2S_CLOCK_PIN
#define DATA_GPIO EAR_PORT_MICROPHONE_I2S_DATA_GPIO_BASE
#define DATA_PIN EAR_PORT_MICROPHONE_I2S_DATA_PIN
#define GAIN_BITS EAR_PORT_MICROPHONE_I2S_GAIN_BITS
#define RING_SAMPLES EAR_PORT_MICROPHONE_I2S_BUFFER_SAMPLES
#define OWN_DIVIDER EAR_PORT_MICROPHONE_I2S_OWN_DIVIDER
#endif

_Static_assert(EAR_PORT_FAMILY == 4u, "microphone: of an STM32F4 alone");
_Static_assert((RING_SAMPLES & (RING_SAMPLES - 1u)) == 0u, "buffer_samples: a power of two");
_Static_assert(GAIN_BITS <= 8u, "gain_bits: 0 to 8");

/* RCC_CR, RCC_PLLI2SCFGR: the VCO at 384 MHz, a third of it for I2S, and of that the 125th part. */
#define CR_PLLI2SON (1u << 26)
#define CR_PLLI2SRDY (1u << 27)
#define RCC_PLLI2SCFGR STM32_REGISTER(0x40023884u)
#define PLLI2SN (384000000u / STM32_PLL_INPUT_HZ)
#define PLLI2SN_AT 6u
#define PLLI2SR (3u << 28)
#define AHB1ENR_DMA1 (1u << 21)
#define LOOKS 100000u

#define SPI2 0x40003800u
#define SPI2_CR2 STM32_REGISTER(SPI2 + 0x04u)
#define SPI2_DR (SPI2 + 0x0Cu)
#define SPI2_I2SCFGR STM32_REGISTER(SPI2 + 0x1Cu)
#define SPI2_I2SPR STM32_REGISTER(SPI2 + 0x20u)
#define CR2_RXDMAEN (1u << 0)
#define I2SCFGR_CHLEN_32 (1u << 0)
#define I2SCFGR_DATLEN_24 (1u << 1)
#define I2SCFGR_CKPOL_HIGH (1u << 3)
#define I2SCFGR_STD_LSB (2u << 4)
#define I2SCFGR_MASTER_RECEIVE (3u << 8)
#define I2SCFGR_I2SE (1u << 10)
#define I2SCFGR_I2SMOD (1u << 11)
#define I2SPR_125 (62u | 1u << 8)
#define I2S2_ALTERNATE 5u

/* SPI2_RX is channel 0 of stream 3 of DMA1: RM0090, table 42. */
#define DMA1_LISR STM32_REGISTER(0x40026000u)
#define DMA1_LIFCR STM32_REGISTER(0x40026008u)
#define DMA1_S3CR STM32_REGISTER(0x40026058u)
#define DMA1_S3NDTR STM32_REGISTER(0x4002605Cu)
#define DMA1_S3PAR STM32_REGISTER(0x40026060u)
#define DMA1_S3M0AR STM32_REGISTER(0x40026064u)
#define S3_HALF (1u << 26)
#define S3_WHOLE (1u << 27)
#define S3_ALL (0x3Du << 22)
#define SCR_EN (1u << 0)
#define SCR_HTIE (1u << 3)
#define SCR_TCIE (1u << 4)
#define SCR_CIRC (1u << 8)
#define SCR_MINC (1u << 10)
#define SCR_HALF_WORDS (1u << 11 | 1u << 13)
#define SCR_PRIORITY_HIGH (2u << 16)

/* NVIC_IPR: Armv7-M ARM, B3.4.9. The USART has the highest priority, 0. */
#define NVIC_PRIORITY(irq) (*(volatile uint8_t *)(0xE000E400u + (irq)))
#define LOWER_PRIORITY 0x80u

#define WORDS_A_SAMPLE 4u
#define BLOCK_SAMPLES 64u

_Static_assert(RING_SAMPLES >= BLOCK_SAMPLES, "buffer_samples: at least 64");

static uint16_t words[2][BLOCK_SAMPLES * WORDS_A_SAMPLE];
#if EAR_PORT_MICROPHONE_PDM
static ear_pdm_t pdm;
#endif

static int16_t ring[RING_SAMPLES];
static ear_samples_t kept = {.ring = ring, .size = RING_SAMPLES};
static bool started;

static void convert(const uint16_t *from, int16_t *pcm) {
#if EAR_PORT_MICROPHONE_PDM
    ear_pdm_samples(&pdm, from, BLOCK_SAMPLES, GAIN_BITS, pcm);
#else
    /* A channel is two words, the upper one first; the left channel comes first. */
    from += 2u * EAR_PORT_MICROPHONE_I2S_RIGHT;
    for (uint32_t i = 0; i < BLOCK_SAMPLES; i++) {
        int32_t value = (int32_t)((uint32_t)from[0] << 16 | from[1]) >> (16u - GAIN_BITS);
        value = value > INT16_MAX ? INT16_MAX : value;
        pcm[i] = (int16_t)(value < INT16_MIN ? INT16_MIN : value);
        from += WORDS_A_SAMPLE;
    }
#endif
}

static void keep(const uint16_t *from) {
    static int16_t pcm[BLOCK_SAMPLES];
    convert(from, pcm);
    (void)ear_samples_keep(&kept, pcm, BLOCK_SAMPLES);
}

void ear_port_samples_interrupt(void) {
    const uint32_t status = DMA1_LISR;
    DMA1_LIFCR = status & S3_ALL;
    if ((status & S3_HALF) != 0u) {
        keep(words[0]);
    }
    if ((status & S3_WHOLE) != 0u) {
        keep(words[1]);
    }
}

static bool start_clock(void) {
    /* Its input is divided like the main PLL's; an STM32F446 has a divider here, too. */
    const uint32_t divider = OWN_DIVIDER ? RCC_PLLCFGR & 63u : 0u;
    RCC_PLLI2SCFGR = divider | PLLI2SN << PLLI2SN_AT | PLLI2SR;
    RCC_CR |= CR_PLLI2SON;
    for (uint32_t i = 0; i < LOOKS; i++) {
        if ((RCC_CR & CR_PLLI2SRDY) != 0u) {
            return true;
        }
    }
    ear_port_say("microphone: the PLL of I2S does not start\n");
    return false;
}

static void start_dma(void) {
    RCC_AHB1ENR |= AHB1ENR_DMA1;
    (void)RCC_AHB1ENR;
    DMA1_LIFCR = S3_ALL;
    DMA1_S3PAR = SPI2_DR;
    DMA1_S3M0AR = (uint32_t)(uintptr_t)words;
    DMA1_S3NDTR = sizeof words / sizeof words[0][0];
    DMA1_S3CR = SCR_HALF_WORDS | SCR_MINC | SCR_CIRC | SCR_PRIORITY_HIGH | SCR_HTIE | SCR_TCIE;
    DMA1_S3CR |= SCR_EN;
    NVIC_PRIORITY(EAR_PORT_SAMPLES_IRQ) = LOWER_PRIORITY;
    ear_irq_enable(EAR_PORT_SAMPLES_IRQ);
}

static void start_i2s(void) {
    stm32_enable(SPI2);
    stm32_pin(CLOCK_GPIO, CLOCK_PIN, I2S2_ALTERNATE, STM32_NO_PULL);
    stm32_pin(DATA_GPIO, DATA_PIN, I2S2_ALTERNATE, STM32_NO_PULL);
    uint32_t config = I2SCFGR_I2SMOD | I2SCFGR_MASTER_RECEIVE;
#if EAR_PORT_MICROPHONE_PDM
    config |= I2SCFGR_STD_LSB | I2SCFGR_CKPOL_HIGH;
#else
    stm32_pin(EAR_PORT_MICROPHONE_I2S_SELECT_GPIO_BASE, EAR_PORT_MICROPHONE_I2S_SELECT_PIN,
              I2S2_ALTERNATE, STM32_NO_PULL);
    config |= I2SCFGR_DATLEN_24 | I2SCFGR_CHLEN_32;
#endif
    SPI2_I2SPR = I2SPR_125;
    SPI2_I2SCFGR = config;
    SPI2_CR2 = CR2_RXDMAEN;
    SPI2_I2SCFGR = config | I2SCFGR_I2SE;
}

/* Samples begin to be taken with the first call; the first ones are of a microphone that wakes. */
size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    if (!started) {
        started = true;
#if EAR_PORT_MICROPHONE_PDM
        ear_pdm_init(&pdm);
#endif
        if (start_clock()) {
            start_dma();
            start_i2s();
        }
    }
    return ear_samples_take(&kept, samples, capacity);
}

#endif
