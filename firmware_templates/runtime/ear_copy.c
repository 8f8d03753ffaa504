#include "ear_kernels_move.h"

#include <string.h>

#include "ear_walk.h"

/* The fields of a box, and of each of its loops. */
enum { FROM, TO, HEAD };
enum { TURNS, INPUT_STRIDE, OUTPUT_STRIDE, FIELDS };

/* Copies the runs of a loop. Short ones have a length that the compiler knows: no call of memcpy.
 */
static void copy_runs(const uint8_t *input, uint8_t *output, int32_t bytes, const int32_t *loop)
{
    int32_t from = 0;
    int32_t to = 0;
    for (int32_t i = 0; i < loop[TURNS]; ++i) {
        if (bytes == 1) {
            output[to] = input[from];
        } else if (bytes == 2) {
            memcpy(output + to, input + from, 2);
        } else if (bytes == 4) {
            memcpy(output + to, input + from, 4);
        } else {
            memcpy(output + to, input + from, (size_t)bytes);
        }
        from += loop[INPUT_STRIDE];
        to += loop[OUTPUT_STRIDE];
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
            copy_runs((const uint8_t *)input + at[FROM], (uint8_t *)output + at[TO],
                      params->run_bytes, loop + FIELDS * outer);
        } while (ear_walk(loop, outer, HEAD, turn, at));
    }
}
