/* Kernels that move elements without looking at them: slices, transpositions, joins, padding.
 *
 * They take tensors of any type: elements are bytes, counted at export. Strides are in bytes, from
 * one element or run of elements to the next, and may be negative or 0. Common rules are those of
 * ear_kernels.h.
 */
#ifndef EAR_KERNELS_MOVE_H
#define EAR_KERNELS_MOVE_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EAR_COPY_LOOPS = 8 };

/* A copy of runs of bytes, one for each turn of 1 to EAR_COPY_LOOPS nested loops. */
typedef struct {
    int32_t run_bytes;    /* contiguous in input and output */
    int32_t from;         /* bytes to the first run in the input */
    int32_t to;           /* bytes to the first run in the output */
    int32_t loops;
    const int32_t *loop;  /* of each, outermost first: turns, stride in input, stride in output */
} ear_copy_t;

/* STRIDED_SLICE, SLICE, TRANSPOSE and other orders that nested loops can walk. */
void ear_copy(const ear_copy_t *params, const void *input, void *output);

/* The same for one run: `bytes` bytes from byte `from` of the input on. */
void ear_copy_block(int32_t from, int32_t bytes, const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
