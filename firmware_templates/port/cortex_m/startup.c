/* Start of a program on any Cortex-M: vector table, memory, FPU, faults. The linker script gives the
 * symbols, port_vectors.h the port's interrupts. Armv7-M Architecture Reference Manual, B1.5
 * (exceptions) and B3.2 (system control); Armv6-M has no CFSR, and of Thumb-2 only a little. */
#include <stdbool.h>
#include <stdint.h>

#include "board_config.h"
#include "port_vectors.h"
#include "semihosting.h"

#define VTOR (*(volatile uint32_t *)0xE000ED08u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#if defined(__ARM_ARCH_6M__)
#define CFSR 0u
#else
#define CFSR (*(volatile uint32_t *)0xE000ED28u)
#endif
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

#define ENTRY(irq, function) [VECTORS + (irq)] = {.handler = (function)},

__attribute__((section(".vectors"), used)) static const vector_entry_t vectors[] = {
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
    EAR_PORT_VECTORS(ENTRY)             /* others than these are not enabled */
};

/* A boot ROM may have left the limit of a stack of its own. */
#if __ARM_ARCH >= 8
#define NO_STACK_LIMIT "movs r0, #0\n\tmsr msplim, r0\n\t"
#else
#define NO_STACK_LIMIT ""
#endif

/* Naked: the stack is being painted, so nothing may live on it yet. */
__attribute__((naked)) void ear_reset(void) {
    __asm volatile(
        ".syntax unified\n\t" NO_STACK_LIMIT
        "ldr r0, =ear_stack_bottom\n\t"
        "ldr r1, =ear_stack_top\n\t"
        "ldr r2, =%c0\n"
        "1:\n\t"
        "str r2, [r0]\n\t"
        "adds r0, r0, #4\n\t"
        "cmp r0, r1\n\t"
        "blo 1b\n\t"
        "ldr r0, =ear_start\n\t"
        "bx r0\n\t"
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
    __asm volatile(
        ".syntax unified\n\t"
        "movs r0, #4\n\t"
        "mov r1, lr\n\t"
        "tst r0, r1\n\t"
        "mrs r0, msp\n\t"
        "beq 1f\n\t"
        "mrs r0, psp\n"
        "1:\n\t"
        "ldr r1, =ear_stack_top\n\t"
        "mov sp, r1\n\t"
        "ldr r1, =ear_fault_end\n\t"
        "bx r1\n\t"
        ".ltorg");
}

__attribute__((naked)) void ear_unexpected(void) {
    __asm volatile(".syntax unified\n\tldr r0, =ear_fault\n\tbx r0\n\t.ltorg");
}

#if EAR_PORT_SEMIHOSTING
static void hex(char *text, uint32_t value) {
    for (uint32_t digit = 0; digit < 8u; digit++) {
        text[digit] = "0123456789abcdef"[(value >> (28u - 4u * digit)) & 15u];
    }
}

/* The text is made at the stack's bottom: what stands there is not needed any more. */
static void report(const uint32_t *frame) {
    static const char where[] = "fault: pc 0x........ lr 0x........ cfsr 0x........\n";
    static const char nowhere[] = "fault: the stack ran out, cfsr 0x........\n";
    static const uint32_t stopped[2] = {SEMIHOSTING_APPLICATION_EXIT, FAULT_EXIT};
    const bool whole = frame >= ear_stack_bottom && frame + 8 <= ear_stack_top;
    const volatile uint32_t *const kept = whole ? frame : ear_stack_bottom;
    const uint32_t lr = kept[5];
    const uint32_t pc = kept[6];
    char *const text = (char *)ear_stack_bottom;
    const char *const from = whole ? where : nowhere;
    uint32_t at = 0;
    do {
        text[at] = from[at];
    } while (from[at++] != '\0');
    if (whole) {
        hex(&text[12], pc);
        hex(&text[26], lr);
    }
    hex(&text[whole ? 42 : 33], CFSR);
    ear_semihost(SEMIHOSTING_WRITE0, text);
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
