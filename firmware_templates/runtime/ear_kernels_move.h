/* Kernels that move elements without looking at them: slices, transpositions, joins, padding.
 *
 * They take tensors of any type: elements are bytes, counted at export. Common rules are those of
 * ear_kernels.h.
 */
#ifndef EAR_KERNELS_MOVE_H
#define EAR_KERNELS_MOVE_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EAR_COPY_LOOPS = 8 };

/* Copies of runs of bytes: for each box, one run for each turn of 1 to EAR_COPY_LOOPS nested
 * loops. Of each box, `box` holds the first byte in the input and the first in the output, then of
 * each loop, outermost first, its turns, its stride in the input and its stride in the output.
 * Strides are in bytes, and may be negative or 0. */
typedef struct {
    int32_t run_bytes; /* contiguous in input and output */
    int32_t loops;
    int32_t boxes;
    const int32_t *box;
} ear_copy_t;

/* STRIDED_SLICE, SLICE, TRANSPOSE, REVERSE_V2, BROADCAST_TO, MIRROR_PAD, BATCH_TO_SPACE_ND and
 * others: whatever order nested loops can walk. */
void ear_copy(const ear_copy_t *params, const void *input, void *output);

/* The same for one run: `bytes` bytes from byte `from` of the input on. */
void ear_copy_block(int32_t from, int32_t bytes, const void *input, void *output);

/* SPLIT, SPLIT_V, UNPACK: `rows` times, row_bytes[i] bytes of the input to each output i. */
typedef struct {
    int32_t rows;
    int32_t outputs;
    const int32_t *row_bytes;
} ear_split_t;

void ear_split(const ear_split_t *params, const void *input, void *const *outputs);

/* FILL, ZEROS_LIKE: `count` elements of `bytes` bytes each, all as the one at `value`. */
void ear_fill(int32_t bytes, int32_t count, const void *value, void *output);

/* PAD, PADV2, SPACE_TO_BATCH_ND: the output is filled as by ear_fill, then parts of the input go
 * over it. */
void ear_pad(const ear_copy_t *params, int32_t bytes, int32_t count, const void *value,
             const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
