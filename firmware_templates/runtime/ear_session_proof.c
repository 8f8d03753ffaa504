/* SELF_TEST: what a port proves of itself, namely clock, line and memory. */
#include "ear_session_parts.h"

#include <string.h>

#include "board_config.h"
#include "ear_protocol.h"
#include "port.h"

#ifndef EAR_SELF_TEST_RAM_BYTES
#define EAR_SELF_TEST_RAM_BYTES 0u
#endif

#define WORDS (EAR_SELF_TEST_RAM_BYTES / 4u)

#if EAR_SELF_TEST_RAM_BYTES > 0
/* Two words keep two patterns, each bit both ways, and neither changes with the other. What they
 * held is put back. Its own stack may be among them: all that it needs stays in registers. */
static __attribute__((noinline)) bool keep(volatile uint32_t *a, volatile uint32_t *b) {
    const uint32_t kept_a = *a;
    const uint32_t kept_b = *b;
    uint32_t pattern = 0x55555555u;
    bool good = true;
    do {
        *a = pattern;
        *b = ~pattern;
        good = good && *a == pattern && *b == ~pattern;
        pattern = ~pattern;
    } while (pattern != 0x55555555u);
    *b = kept_b;
    *a = kept_a;
    return good;
}

/* Nobody else may look meanwhile. A transfer of a peripheral into these very words would be undone:
 * none is under way, as the host waits for the answer. */
static bool keep_alone(volatile uint32_t *a, volatile uint32_t *b) {
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
    uint32_t masked;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
    const bool good = keep(a, b);
    __asm volatile("msr primask, %0" ::"r"(masked) : "memory");
    return good;
#else
    return keep(a, b);
#endif
}

/* The word with all words whose number differs in one bit: a broken address line joins two. */
static bool word_is_good(uint32_t word) {
    volatile uint32_t *const ram = (volatile uint32_t *)(uintptr_t)EAR_SELF_TEST_RAM_BASE;
    for (uint32_t bit = 1; bit < WORDS; bit <<= 1) {
        const uint32_t other = word ^ bit;
        if (other > word && other < WORDS && !keep_alone(ram + word, ram + other)) {
            return false;
        }
    }
    return true;
}
#else
static bool word_is_good(uint32_t word) {
    (void)word;
    return true;
}
#endif

ear_status_t ear_serve_self_test(const uint8_t *in, size_t count, size_t *reply) {
    const uint32_t ticks = ear_port_ticks();
    const uint32_t first = ear_get_u32(in + EAR_SELF_TEST_AT_FIRST);
    const uint32_t words = ear_get_u32(in + EAR_SELF_TEST_AT_WORDS);
    const size_t echo = count - EAR_SELF_TEST_BYTES;
    if (first > WORDS || words > WORDS - first ||
        EAR_SELF_TEST_REPLY_BYTES + echo > EAR_SESSION_MAX_PAYLOAD) {
        return EAR_ERROR_ARGUMENT;
    }
    uint32_t word = first;
    while (word < first + words && word_is_good(word)) {
        word++;
    }
    ear_put_u32(ear_out + EAR_SELF_TEST_REPLY_AT_TICKS, ticks);
    ear_put_u32(ear_out + EAR_SELF_TEST_REPLY_AT_RAM_WORDS, WORDS);
    ear_put_u32(ear_out + EAR_SELF_TEST_REPLY_AT_NEXT, word);
    memcpy(ear_out + EAR_SELF_TEST_REPLY_AT_ECHO, in + EAR_SELF_TEST_AT_ECHO, echo);
    *reply = EAR_SELF_TEST_REPLY_BYTES + echo;
    return EAR_OK;
}
