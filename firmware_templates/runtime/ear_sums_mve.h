/* Products of two columns with the weights of pairs of channels, for cores with MVE. */
#ifndef EAR_SUMS_MVE_H
#define EAR_SUMS_MVE_H

#include "ear_kernels_mve.h"
#include "ear_mve.h"

#if EAR_MVE

/* One iteration of the loops below: channel 0 and 1 of a pair, in r0 and r4 with the first column,
 * in r2 and r6 with the second. Columns stay in registers, as far as there are some. In FIRST,
 * %[weights] is 16 bytes before those of the pair, and so it is for the next pair behind LAST. */
#define EAR_SUMS_FIRST(n, a, b)                         \
    "vldrb.8 q7, [%[weights], #(16 * " #n " + 16)]!\n\t" \
    "vmladav.s8 r4, q7, " a "\n\t"                      \
    "vldrb.8 q6, [%[weights], #(-16 * " #n ")]\n\t"     \
    "vmladav.s8 r6, q7, " b "\n\t"                      \
    "vmladav.s8 r0, q6, " a "\n\t"                      \
    "vmladav.s8 r2, q6, " b "\n\t"
#define EAR_SUMS_NEXT(n, k, back, a, b)                           \
    "vldrb.8 q6, [%[weights], #(16 * " #k " - 16 * " #n ")]\n\t" \
    "vmladava.s8 r0, q6, " a "\n\t"                               \
    "vldrb.8 q7, [%[weights], #(16 * " #k ")]" back "\n\t"        \
    "vmladava.s8 r2, q6, " b "\n\t"                               \
    "vmladava.s8 r4, q7, " a "\n\t"                               \
    "vmladava.s8 r6, q7, " b "\n\t"
/* The same where the second column is read each time. */
#define EAR_SUMS_FIRST_READ(n, a)                       \
    "vldrb.8 q7, [%[other]]\n\t"                        \
    "vldrb.8 q6, [%[weights], #(16 * " #n " + 16)]!\n\t" \
    "vmladav.s8 r4, q6, " a "\n\t"                      \
    "vmladav.s8 r6, q6, q7\n\t"                         \
    "vldrb.8 q6, [%[weights], #(-16 * " #n ")]\n\t"     \
    "vmladav.s8 r0, q6, " a "\n\t"                      \
    "vmladav.s8 r2, q6, q7\n\t"
#define EAR_SUMS_NEXT_READ(n, k, back, a)                         \
    "vldrb.8 q7, [%[other], #(16 * " #k ")]\n\t"                  \
    "vldrb.8 q6, [%[weights], #(16 * " #k " - 16 * " #n ")]\n\t" \
    "vmladava.s8 r0, q6, " a "\n\t"                               \
    "vmladava.s8 r2, q6, q7\n\t"                                  \
    "vldrb.8 q6, [%[weights], #(16 * " #k ")]" back "\n\t"        \
    "vmladava.s8 r4, q6, " a "\n\t"                               \
    "vmladava.s8 r6, q6, q7\n\t"
#define EAR_SUMS_COLUMN(q, k) "vldrb.8 " q ", [%[columns], #(16 * " #k ")]\n\t"
#define EAR_SUMS_OTHER(q, k) "vldrb.8 " q ", [%[other], #(16 * " #k ")]\n\t"

/* Defines a function of rows of 16 * n: what loads columns, then one iteration. */
#define EAR_SUMS_FUNCTION(name, n, loads, iteration)                                            \
    void name(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,         \
              int32_t *sums)                                                                    \
    {                                                                                           \
        (void)row;                                                                              \
        __asm__ volatile(loads "sub %[weights], %[weights], #16\n\t"                            \
                               "dls lr, %[pairs]\n"                                             \
                               "1:\n\t" iteration                                               \
                               "strd r2, r6, [%[sums], #(4 * 32)]\n\t"                          \
                               "strd r0, r4, [%[sums]], #8\n\t"                                 \
                               "le lr, 1b"                                                      \
                         : [weights] "+r"(weights), [sums] "+r"(sums)                           \
                         : [columns] "r"(columns), [other] "r"(columns + 16 * (n)),             \
                           [pairs] "r"(pairs)                                                   \
                         : "lr", "r0", "r2", "r4", "r6", "q0", "q1", "q2", "q3", "q4", "q5",    \
                           "q6", "q7", "memory");                                               \
    }

#else

/* What each of the functions does. */
static inline void ear_sums_plainly(const int8_t *columns, const int8_t *weights, int32_t row,
                                    int32_t pairs, int32_t *sums)
{
    for (int32_t channel = 0; channel < 2 * pairs; ++channel, weights += row, ++sums) {
        sums[0] = 0;
        sums[EAR_SUMS_MOST] = 0;
        for (int32_t i = 0; i < row; ++i) {
            sums[0] += weights[i] * columns[i];
            sums[EAR_SUMS_MOST] += weights[i] * columns[row + i];
        }
    }
}

#define EAR_SUMS_FUNCTION(name, n, loads, iteration)                                            \
    void name(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,         \
              int32_t *sums)                                                                    \
    {                                                                                           \
        ear_sums_plainly(columns, weights, row, pairs, sums);                                   \
    }

#endif
#endif
