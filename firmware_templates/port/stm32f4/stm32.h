/* Registers of STM32F4 and STM32F7 that the port uses, and how it prepares pins and clocks.
 *
 * ST RM0090 (STM32F405/407), RM0390 (STM32F446), RM0385 (STM32F746): chapter RCC, memory map. */
#ifndef EAR_STM32_H
#define EAR_STM32_H

#include <stdint.h>

#define STM32_REGISTER(address) (*(volatile uint32_t *)(address))

#define RCC_CR STM32_REGISTER(0x40023800u)
#define RCC_PLLCFGR STM32_REGISTER(0x40023804u)
#define RCC_CFGR STM32_REGISTER(0x40023808u)
#define RCC_AHB1ENR STM32_REGISTER(0x40023830u)
#define RCC_APB1ENR STM32_REGISTER(0x40023840u)
#define RCC_APB2ENR STM32_REGISTER(0x40023844u)

#define STM32_APB1 0x40000000u
#define STM32_APB2 0x40010000u
#define STM32_AHB1 0x40020000u
#define STM32_TIM2 0x40000000u

/* Both oscillators are divided down to this for the PLLs: RM0090, RCC_PLLCFGR, asks for 1 to 2 MHz. */
#define STM32_PLL_INPUT_HZ (EAR_PORT_HSE_HZ % 2000000u == 0u ? 2000000u : 1000000u)

/* Give a peripheral of APB1 or APB2, or a GPIO port, its clock: its bit in the enable register is
 * the number of its block of 1 KiB on its bus. */
void stm32_enable(uint32_t base);

/* Give a pin to a peripheral: push-pull, high speed; pulled up where the line may hang in the air. */
enum { STM32_NO_PULL = 0, STM32_PULL_UP = 1 };
void stm32_pin(uint32_t gpio_base, uint32_t pin, uint32_t alternate, uint32_t pull);

#endif
