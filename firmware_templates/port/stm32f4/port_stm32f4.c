/* STM32F4 and STM32F7: protocol on a USART, received bytes by interrupt, ticks from TIM2.
 *
 * Registers: ST RM0090 (STM32F405/407) and RM0390 (STM32F446), chapters RCC, FLASH interface, GPIO,
 * TIM2 to TIM5, USART; RM0385 (STM32F746) for its USART. */
#include <stdbool.h>

#include "port.h"
#include "port_cortex_m.h"
#include "port_vectors.h"
#include "stm32.h"

/* RCC_CR, RCC_CFGR: RM0090, 7.3.1 and 7.3.3. */
#define CR_HSEON (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_HSEBYP (1u << 18)
#define CR_PLLON (1u << 24)
#define CR_PLLRDY (1u << 25)
#define PLLCFGR_PLLSRC_HSE (1u << 22)
#define PLLCFGR_PLLN_AT 6u
#define PLLCFGR_PLLQ_AT 24u
#define PLLCFGR_PLLR_AT 28u
#define CFGR_SW_PLL 2u
#define CFGR_SWS (3u << 2)
#define CFGR_SWS_PLL (2u << 2)
#define CFGR_PPRE1_4 (5u << 10)
#define CFGR_PPRE2_2 (4u << 13)
#define HSI_HZ 16000000u

/* FLASH_ACR: RM0090, 3.9.1; of an STM32F7: RM0385, 3.7.1. */
#define FLASH_ACR STM32_REGISTER(0x40023C00u)
#define ACR_PREFETCH (1u << 8)
#define ACR_CACHES (3u << 9)
#define ACR_ART (1u << 9)

/* General-purpose timers: RM0090, 18.4. */
#define TIM_CR1 STM32_REGISTER(STM32_TIM2 + 0x00u)
#define TIM_EGR STM32_REGISTER(STM32_TIM2 + 0x14u)
#define TIM_CNT STM32_REGISTER(STM32_TIM2 + 0x24u)
#define TIM_PSC STM32_REGISTER(STM32_TIM2 + 0x28u)
#define TIM_ARR STM32_REGISTER(STM32_TIM2 + 0x2Cu)
#define TIM_CR1_CEN (1u << 0)
#define TIM_EGR_UG (1u << 0)

#if EAR_PORT_FAMILY == 7u
/* RM0385, 31.8. */
typedef struct {
    volatile uint32_t control1;
    volatile uint32_t control2;
    volatile uint32_t control3;
    volatile uint32_t baud;
    volatile uint32_t guard;
    volatile uint32_t timeout;
    volatile uint32_t request;
    volatile uint32_t status;
    volatile uint32_t clear;
    volatile uint32_t received;
    volatile uint32_t send;
} usart_t;

#define CR1_UE (1u << 0)
#else
/* RM0090, 30.6. */
typedef struct {
    volatile uint32_t status;
    union {
        volatile uint32_t received;
        volatile uint32_t send;
    };
    volatile uint32_t baud;
    volatile uint32_t control1;
} usart_t;

#define CR1_UE (1u << 13)
#endif

#define USART ((usart_t *)EAR_PORT_UART_BASE)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_RXNEIE (1u << 5)
#define CR1_ON (CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE)
#define STATUS_ORE (1u << 3)
#define STATUS_RXNE (1u << 5)
#define STATUS_TXE (1u << 7)

/* GPIO: RM0090, 8.4. */
#define GPIO_MODER 0x00u
#define GPIO_OSPEEDR 0x08u
#define GPIO_PUPDR 0x0Cu
#define GPIO_AFRL 0x20u
#define MODE_ALTERNATE 2u
#define SPEED_HIGH 2u

#if EAR_PORT_FAMILY == 7u
/* Caches of a Cortex-M7: Armv7-M Architecture Reference Manual, B2.2.7 and B3.2.8; the 4 ways and
 * lines of 32 bytes are Arm DDI 0489's, 4.3. */
#define SCB_CCR STM32_REGISTER(0xE000ED14u)
#define SCB_CCSIDR STM32_REGISTER(0xE000ED80u)
#define SCB_CSSELR STM32_REGISTER(0xE000ED84u)
#define SCB_ICIALLU STM32_REGISTER(0xE000EF50u)
#define SCB_DCISW STM32_REGISTER(0xE000EF60u)
#define CCR_CACHES (3u << 16)
#define CACHE_WAYS 4u

static void start_caches(void) {
    SCB_CSSELR = 0u;
    __asm volatile("dsb" ::: "memory");
    const uint32_t sets = ((SCB_CCSIDR >> 13) & 0x7FFFu) + 1u;
    for (uint32_t set = 0; set < sets; set++) {
        for (uint32_t way = 0; way < CACHE_WAYS; way++) {
            SCB_DCISW = way << 30 | set << 5;
        }
    }
    SCB_ICIALLU = 0u;
    __asm volatile("dsb\n\tisb" ::: "memory");
    SCB_CCR |= CCR_CACHES;
    __asm volatile("dsb\n\tisb" ::: "memory");
}
#endif

/* A clock that starts is ready within this many looks (datasheets: HSE 2 ms, PLL 0.3 ms). */
#define LOOKS 100000u

static bool becomes(const volatile uint32_t *where, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < LOOKS; i++) {
        if ((*where & mask) == value) {
            return true;
        }
    }
    return false;
}

void stm32_enable(uint32_t base) {
    volatile uint32_t *enable = &RCC_APB1ENR;
    uint32_t bus = STM32_APB1;
    if (base >= STM32_AHB1) {
        enable = &RCC_AHB1ENR;
        bus = STM32_AHB1;
    } else if (base >= STM32_APB2) {
        enable = &RCC_APB2ENR;
        bus = STM32_APB2;
    }
    *enable |= 1u << ((base - bus) / 1024u);
    (void)*enable; /* the clock runs two cycles later: RM0090, 7.2.13 and the errata ES0182, 2.1.13 */
}

static void put(uint32_t address, uint32_t width, uint32_t pin, uint32_t value) {
    const uint32_t at = pin * width;
    const uint32_t mask = (1u << width) - 1u;
    STM32_REGISTER(address) = (STM32_REGISTER(address) & ~(mask << at)) | value << at;
}

void stm32_pin(uint32_t gpio_base, uint32_t pin, uint32_t alternate, uint32_t pull) {
    stm32_enable(gpio_base);
    put(gpio_base + GPIO_AFRL + 4u * (pin / 8u), 4u, pin % 8u, alternate);
    put(gpio_base + GPIO_PUPDR, 2u, pin, pull);
    put(gpio_base + GPIO_OSPEEDR, 2u, pin, SPEED_HIGH);
    put(gpio_base + GPIO_MODER, 2u, pin, MODE_ALTERNATE);
}

static bool crystal_runs(void) {
#if EAR_PORT_HSE_HZ
    RCC_CR |= EAR_PORT_HSE_BYPASS ? CR_HSEBYP | CR_HSEON : CR_HSEON;
    if (becomes(&RCC_CR, CR_HSERDY, CR_HSERDY)) {
        return true;
    }
    RCC_CR &= ~(CR_HSEON | CR_HSEBYP);
    ear_port_say("clock: nothing at OSC_IN oscillates, the internal oscillator stands in (1 %)\n");
#endif
    return false;
}

/* Start the PLL and run from it. Returns the core's clock: where the PLL does not start, it stays
 * that of the internal oscillator. The regulator is at the scale for full speed after reset. */
static uint32_t start_clock(void) {
    const bool crystal = crystal_runs();
    const uint32_t divider = (crystal ? EAR_PORT_HSE_HZ : HSI_HZ) / STM32_PLL_INPUT_HZ;
    const uint32_t multiplier = 2u * EAR_PORT_CPU_HZ / STM32_PLL_INPUT_HZ; /* PLLP halves it */
    RCC_PLLCFGR = divider | multiplier << PLLCFGR_PLLN_AT | (crystal ? PLLCFGR_PLLSRC_HSE : 0u) |
                  7u << PLLCFGR_PLLQ_AT | 2u << PLLCFGR_PLLR_AT;
    RCC_CR |= CR_PLLON;
    if (!becomes(&RCC_CR, CR_PLLRDY, CR_PLLRDY)) {
        RCC_CR &= ~CR_PLLON;
        ear_port_say("clock: the PLL does not start, the core runs at 16 MHz\n");
        return HSI_HZ;
    }
    FLASH_ACR = EAR_PORT_FLASH_WAIT_STATES | ACR_PREFETCH |
                (EAR_PORT_FAMILY == 7u ? ACR_ART : ACR_CACHES);
    (void)FLASH_ACR;
    RCC_CFGR = CFGR_PPRE1_4 | CFGR_PPRE2_2;
    RCC_CFGR |= CFGR_SW_PLL;
    if (!becomes(&RCC_CFGR, CFGR_SWS, CFGR_SWS_PLL)) {
        RCC_CFGR = 0u;
        ear_port_say("clock: the core does not take the PLL, it runs at 16 MHz\n");
        return HSI_HZ;
    }
    return EAR_PORT_CPU_HZ;
}

static void start_ticks(uint32_t timer_hz) {
    stm32_enable(STM32_TIM2);
    TIM_PSC = timer_hz / EAR_PORT_TICKS_HZ - 1u;
    TIM_ARR = 0xFFFFFFFFu;
    TIM_EGR = TIM_EGR_UG; /* takes the prescaler over */
    TIM_CR1 = TIM_CR1_CEN;
}

static void start_uart(uint32_t clock_hz) {
    stm32_enable(EAR_PORT_UART_BASE);
    stm32_pin(EAR_PORT_UART_TX_GPIO_BASE, EAR_PORT_UART_TX_PIN, EAR_PORT_UART_ALTERNATE,
              STM32_NO_PULL);
    stm32_pin(EAR_PORT_UART_RX_GPIO_BASE, EAR_PORT_UART_RX_PIN, EAR_PORT_UART_ALTERNATE,
              STM32_PULL_UP);
    USART->baud = (clock_hz + EAR_PORT_BAUD / 2u) / EAR_PORT_BAUD;
    USART->control1 = CR1_ON;
    ear_irq_enable(EAR_PORT_UART_RX_IRQ);
}

void ear_port_init(void) {
#if EAR_PORT_FAMILY == 7u
    start_caches();
#endif
    const uint32_t cpu_hz = start_clock();
    const bool divided = cpu_hz != HSI_HZ;
    const uint32_t apb1_hz = divided ? cpu_hz / 4u : cpu_hz;
    const uint32_t apb2_hz = divided ? cpu_hz / 2u : cpu_hz;
    /* A timer on a bus that is divided has twice that bus's clock: RM0090, 7.2. */
    start_ticks(EAR_PORT_TIMER_HZ ? EAR_PORT_TIMER_HZ : divided ? 2u * apb1_hz : apb1_hz);
    start_uart(EAR_PORT_UART_BASE >= STM32_APB2 ? apb2_hz : apb1_hz);
    /* An emulated USART drops what comes before it is enabled: say that it is. */
    ear_port_say("ready\n");
}

void ear_port_uart_interrupt(void) {
    const uint32_t status = USART->status;
    /* Reading the data after the status clears an overrun too, of an STM32F4. */
    const uint8_t byte = (uint8_t)USART->received;
#if EAR_PORT_FAMILY == 7u
    USART->clear = STATUS_ORE;
#endif
    if ((status & STATUS_RXNE) != 0u) {
        ear_port_received(byte);
    }
    /* QEMU may put the next byte there at once and then take its interrupt away: this brings it
     * back. A USART is not changed by it. */
    USART->control1 = CR1_ON;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while ((USART->status & STATUS_TXE) == 0u) {
        }
        USART->send = bytes[i];
    }
}

uint32_t ear_port_ticks(void) {
    return TIM_CNT;
}
