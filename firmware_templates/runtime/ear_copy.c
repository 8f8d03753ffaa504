#include "ear_kernels_move.h"

#include <string.h>

#include "ear_walk.h"

/* The fields of a box, and of each of its loops. */
enum { FROM, TO, HEAD };
enum { TURNS, INPUT_STRIDE, OUTPUT_STRIDE, FIELDS };

/* Copies the runs of a loop. Inlined with lengths that the compiler knows, it calls no memcpy. */
static inline void copy_runs(const uint8_t *input, uint8_t *output, size_t bytes,
                             const int32_t *loop)
{
    const int32_t input_stride = loop[INPUT_STRIDE];
    const int32_t output_stride = loop[OUTPUT_STRIDE];
    int32_t from = 0;
    int32_t to = 0;
    for (int32_t left = loop[TURNS]; left > 0; --left) {
        memcpy(output + to, input + from, bytes);
        from += input_stride;
        to += output_stride;
    }
}

/* Elements of the usual sizes, and runs of them. */
static void copy_loop(const uint8_t *input, uint8_t *output, int32_t bytes, const int32_t *loop)
{
    switch (bytes) {
    case 1:
        copy_runs(input, output, 1, loop);
        break;
    case 2:
        copy_runs(input, output, 2, loop);
        break;
    case 4:
        copy_runs(input, output, 4, loop);
        break;
    default:
        copy_runs(input, output, (size_t)bytes, loop);
        break;
    }
}

void ear_copy(const ear_copy_t *params, const void *input, void *output)
{
    const int32_t outer = params->loops - 1;
    const int32_t *box = params->box;
    for (int32_t i = 0; i < params->boxes; ++i, box += HEAD + FIELDS * params->loops) {
        const int32_t *loop = box + HEAD;
        int32_t turn[EAR_MOVE_LOOPS] = {0};
        int32_t at[HEAD] = {box[FROM], box[TO]};
        do {
            copy_loop((const uint8_t *)input + at[FROM], (uint8_t *)output + at[TO],
                      params->run_bytes, loop + FIELDS * outer);
        } while (ear_walk(loop, outer, HEAD, turn, at));
    }
}
