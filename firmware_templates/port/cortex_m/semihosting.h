/* Arm Semihosting for AArch32 (Arm IHI 2020): calls to a debugger or emulator that listens. */
#ifndef EAR_SEMIHOSTING_H
#define EAR_SEMIHOSTING_H

#include <stdint.h>

#define SEMIHOSTING_WRITE0 0x04u        /* argument: text */
#define SEMIHOSTING_EXIT_EXTENDED 0x20u /* argument: reason and exit code */
#define SEMIHOSTING_APPLICATION_EXIT 0x20026u

/* Only where board_config.h has EAR_PORT_SEMIHOSTING: with no listener it is a fault. */
static inline void ear_semihost(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

#endif
