/* Start of an Armv7-M or Armv8-M program: vector table, memory, FPU, faults. The linker script gives the
 * symbols. Armv7-M Architecture Reference Manual, B1.5 (exceptions) and B3.2 (system control). */
#include <stdbool.h>
#include <stdint.h>

#include "board_config.h"
#include "semihosting.h"

#define VTOR (*(volatile uint32_t *)0xE000ED08u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CFSR (*(volatile uint32_t *)0xE000ED28u)
#define CPACR_FPU_FULL (0xFu << 20)

/* Stack that was never used still holds this word. */
#define STACK_PAINT 0xC5C5C5C5u
#define VECTORS 16u
#define FAULT_EXIT 70u

extern uint32_t ear_stack_bottom[];
extern uint32_t ear_stack_top[];
extern uint32_t ear_data_start[];
extern uint32_t ear_data_end[];
extern const uint32_t ear_data_load[];
extern uint32_t ear_bss_start[];
extern uint32_t ear_bss_end[];

int main(void);
void ear_port_uart_rx_interrupt(void);
_Noreturn void ear_reset(void);
_Noreturn void ear_fault_end(const uint32_t *frame);
void ear_fault(void);
void ear_unexpected(void);

typedef void (*vector_t)(void);

/* First word: initial stack pointer, which is no function. */
typedef union {
    vector_t handler;
    const uint32_t *stack;
} vector_entry_t;

__attribute__((section(".vectors"), used)) static const vector_entry_t
    vectors[VECTORS + EAR_PORT_UART_RX_IRQ + 1u] = {
        [0] = {.stack = ear_stack_top},
        [1] = {.handler = ear_reset},
        [2] = {.handler = ear_unexpected},  /* NMI */
        [3] = {.handler = ear_fault},       /* HardFault; the other faults escalate to it */
        [4] = {.handler = ear_fault},
        [5] = {.handler = ear_fault},
        [6] = {.handler = ear_fault},
        [11] = {.handler = ear_unexpected}, /* SVCall */
        [12] = {.handler = ear_unexpected}, /* debug monitor */
        [14] = {.handler = ear_unexpected}, /* PendSV */
        [15] = {.handler = ear_unexpected}, /* SysTick */
        [VECTORS + EAR_PORT_UART_RX_IRQ] = {.handler = ear_port_uart_rx_interrupt},
};

/* Naked: the stack is being painted, so nothing may live on it yet. */
__attribute__((naked)) void ear_reset(void) {
    __asm volatile(
        "ldr r0, =ear_stack_bottom\n\t"
        "ldr r1, =ear_stack_top\n\t"
        "ldr r2, =%c0\n"
        "1:\n\t"
        "cmp r0, r1\n\t"
        "itt lo\n\t"
        "strlo r2, [r0], #4\n\t"
        "blo 1b\n\t"
        "b ear_start\n\t"
        ".ltorg" ::"i"(STACK_PAINT));
}

_Noreturn void ear_start(void);

_Noreturn void ear_start(void) {
    VTOR = (uint32_t)(uintptr_t)vectors;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= CPACR_FPU_FULL;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *from = ear_data_load;
    for (uint32_t *to = ear_data_start; to < ear_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = ear_bss_start; to < ear_bss_end; to++) {
        *to = 0u;
    }
    const int code = main();
#if EAR_PORT_SEMIHOSTING
    const uint32_t ended[2] = {SEMIHOSTING_APPLICATION_EXIT, (uint32_t)code};
    ear_semihost(SEMIHOSTING_EXIT_EXTENDED, ended);
#else
    (void)code;
#endif
    for (;;) {
        __asm volatile("wfi");
    }
}

/* The fault may be a stack that ran out: look at the frame, then go on from the stack's top. */
__attribute__((naked)) void ear_fault(void) {
    __asm volatile("tst lr, #4\n\t"
                   "ite eq\n\t"
                   "mrseq r0, msp\n\t"
                   "mrsne r0, psp\n\t"
                   "ldr r1, =ear_stack_top\n\t"
                   "mov sp, r1\n\t"
                   "b ear_fault_end\n\t"
                   ".ltorg");
}

__attribute__((naked)) void ear_unexpected(void) {
    __asm volatile("b ear_fault");
}

#if EAR_PORT_SEMIHOSTING
static void hex(char *text, uint32_t value) {
    for (uint32_t digit = 0; digit < 8u; digit++) {
        text[digit] = "0123456789abcdef"[(value >> (28u - 4u * digit)) & 15u];
    }
}

static void report(const uint32_t *frame) {
    static char where[] = "fault: pc 0x........ lr 0x........ cfsr 0x........\n";
    static char nowhere[] = "fault: the stack ran out, cfsr 0x........\n";
    static const uint32_t stopped[2] = {SEMIHOSTING_APPLICATION_EXIT, FAULT_EXIT};
    bool whole = frame >= ear_stack_bottom && frame + 8 <= ear_stack_top;
    if (whole) {
        hex(&where[12], frame[6]);
        hex(&where[26], frame[5]);
    }
    hex(whole ? &where[42] : &nowhere[33], CFSR);
    ear_semihost(SEMIHOSTING_WRITE0, whole ? where : nowhere);
    ear_semihost(SEMIHOSTING_EXIT_EXTENDED, stopped);
}
#endif

/* The end of a firmware that met a fault: it says so where someone listens, and stands still. */
void ear_fault_end(const uint32_t *frame) {
    __asm volatile("cpsid i" ::: "memory");
#if EAR_PORT_SEMIHOSTING
    report(frame);
#else
    (void)frame;
#endif
    for (;;) {
        __asm volatile("wfi");
    }
}
