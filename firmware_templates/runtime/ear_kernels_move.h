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

enum { EAR_MOVE_LOOPS = 8 };

/* Copies of runs of bytes: for each box, one run for each turn of 1 to EAR_MOVE_LOOPS nested
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

/* SELECT_V2 with broadcasting: the output's elements in order, of `bytes` bytes each. `loop` holds
 * of each of 1 to EAR_MOVE_LOOPS loops, outermost first, its turns and its strides, in bytes, in
 * the condition and both inputs (0 where one is repeated). */
typedef struct {
    int32_t bytes;
    int32_t loops;
    const int32_t *loop;
} ear_select_t;

void ear_select(const ear_select_t *params, const uint8_t *condition, const void *chosen,
                const void *other, void *output);

/* GATHER: for each batch and each outer index, `indices` slices of `bytes` bytes out of `size`.
 * An index that is not there counts as the nearest one (the reference reads outside). */
typedef struct {
    int32_t batches;
    int32_t outer;
    int32_t size;
    int32_t indices;
    int32_t bytes;
} ear_gather_t;

void ear_gather(const ear_gather_t *params, const int32_t *indices, const void *input,
                void *output);

/* GATHER_ND: `slices` slices of `bytes` bytes, each named by `depth` indices with these strides,
 * in slices. What is beyond the last slice counts as that (the reference gives up). */
typedef struct {
    int32_t slices;
    int32_t depth;
    int32_t bytes;
    int32_t last;
    const int32_t *stride;
} ear_gather_nd_t;

void ear_gather_nd(const ear_gather_nd_t *params, const int32_t *indices, const void *input,
                   void *output);

/* DYNAMIC_UPDATE_SLICE: the output is the input with `update` over it. `dim` holds of each
 * dimension the last index that the update may start at, and the stride in bytes. */
typedef struct {
    int32_t bytes; /* of the output */
    int32_t dims;
    const int32_t *dim;
    bool wide; /* the start indices are int64, else int32 */
} ear_update_slice_t;

void ear_update_slice(const ear_update_slice_t *params, const ear_copy_t *copy,
                      const void *starts, const void *input, const void *update, void *output);

/* RESIZE_NEAREST_NEIGHBOR on NHWC: where each row and column of the output comes from, in bytes. */
typedef struct {
    int32_t batches;
    int32_t batch_bytes; /* of the input */
    int32_t height;      /* of the output */
    int32_t width;
    int32_t bytes; /* of all channels of an element */
    const int32_t *row;
    const int32_t *column;
} ear_resize_nearest_t;

void ear_resize_nearest(const ear_resize_nearest_t *params, const void *input, void *output);

/* CUSTOM:CIRCULAR_BUFFER: the output, which lasts from one inference to the next, moves on by a
 * slot, and the input is put behind it. */
void ear_circular_buffer(int32_t slot_bytes, int32_t bytes, const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
