/* Reset handler and result of the kernel cases on a bare Cortex-M, over semihosting. */
#include <stdint.h>

extern uint32_t ear_stack_end;
extern uint32_t ear_bss_start;
extern uint32_t ear_bss_end;

int ear_check_cases(void);
void ear_reset(void);
void ear_fault(void);

static void write_text(const char *text)
{
    register uint32_t operation __asm__("r0") = 0x04; /* SYS_WRITE0 */
    register const char *argument __asm__("r1") = text;
    __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
}

static void stop(void)
{
    register uint32_t operation __asm__("r0") = 0x18; /* SYS_EXIT */
    register uint32_t argument __asm__("r1") = 0x20026; /* application exit */
    __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
}

static void write_number(uint32_t number)
{
    char text[12];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    write_text(at);
}

void ear_reset(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: floating point on */
#ifdef EAR_TRAP_UNALIGNED
    *(volatile uint32_t *)0xE000ED14u |= 1u << 3; /* CCR.UNALIGN_TRP: as on ARMv6-M */
#endif
    __asm__ volatile("dsb\n\tisb");
    for (uint32_t *word = &ear_bss_start; word < &ear_bss_end; ++word) {
        *word = 0;
    }
    write_text("first wrong case: ");
    write_number((uint32_t)ear_check_cases());
    write_text("\n");
    stop();
    for (;;) {
    }
}

void ear_fault(void)
{
    write_text("fault\n");
    stop();
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    &ear_stack_end,
    (const void *)ear_reset,
    (const void *)ear_fault, /* NMI */
    (const void *)ear_fault, /* HardFault */
};
