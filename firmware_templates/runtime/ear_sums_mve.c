#include "ear_sums_mve.h"

#if EAR_MVE

/* In assembly: the compiler moves sums to even registers and back, which these must be in. */
void ear_sums_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                  int32_t *sums)
{
    for (; pairs > 0; --pairs, sums += 2) {
        const int8_t *one = columns;
        const int8_t *other = columns + row;
        const int8_t *next = weights + row;
        int32_t a = 0;
        int32_t b = 0;
        int32_t c = 0;
        int32_t d = 0;
        __asm__("lsr lr, %[row], #4\n\t"
                "dls lr, lr\n"
                "1:\n\t"
                "vldrb.8 q0, [%[weights]], #16\n\t"
                "vldrb.8 q2, [%[one]], #16\n\t"
                "vmladava.s8 %[a], q0, q2\n\t"
                "vldrb.8 q1, [%[next]], #16\n\t"
                "vmladava.s8 %[b], q1, q2\n\t"
                "vldrb.8 q3, [%[other]], #16\n\t"
                "vmladava.s8 %[c], q0, q3\n\t"
                "vmladava.s8 %[d], q1, q3\n\t"
                "le lr, 1b"
                : [weights] "+r"(weights), [next] "+r"(next), [one] "+r"(one),
                  [other] "+r"(other), [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d)
                : [row] "r"(row)
                : "lr", "q0", "q1", "q2", "q3", "memory");
        sums[0] = a;
        sums[1] = b;
        sums[EAR_SUMS_MOST] = c;
        sums[EAR_SUMS_MOST + 1] = d;
        weights = next;
    }
}

#else

void ear_sums_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                  int32_t *sums)
{
    ear_sums_plainly(columns, weights, row, pairs, sums);
}

#endif
