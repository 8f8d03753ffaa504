#include "ear_kernels_move.h"

#include <string.h>

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

static void copy_box(const ear_copy_t *params, const int32_t *box, const uint8_t *input,
                     uint8_t *output)
{
    int32_t turn[EAR_COPY_LOOPS] = {0};
    int32_t from = box[FROM];
    int32_t to = box[TO];
    const int32_t inner = params->loops - 1;
    int32_t outer = inner;
    while (outer >= 0) {
        copy_runs(input + from, output + to, params->run_bytes, box + HEAD + FIELDS * inner);
        for (outer = inner - 1; outer >= 0; --outer) {
            const int32_t *loop = box + HEAD + FIELDS * outer;
            from += loop[INPUT_STRIDE];
            to += loop[OUTPUT_STRIDE];
            if (++turn[outer] < loop[TURNS]) {
                break;
            }
            turn[outer] = 0;
            from -= loop[TURNS] * loop[INPUT_STRIDE];
            to -= loop[TURNS] * loop[OUTPUT_STRIDE];
        }
    }
}

void ear_copy(const ear_copy_t *params, const void *input, void *output)
{
    for (int32_t i = 0; i < params->boxes; ++i) {
        copy_box(params, params->box + i * (HEAD + FIELDS * params->loops), input, output);
    }
}
