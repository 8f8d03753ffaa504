/* Pushes raw PCM from standard input through the recogniser and prints what happens.
 *
 *     driver stream|clip SEED < pcm
 *
 * SEED drives the sizes of the pushes, 0 to 1023 samples. The last line is the window. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ear_model.h"
#include "ear_recognizer.h"

#define MAX_SAMPLES 200000
#define MAX_PUSH 1024

static int16_t pcm[MAX_SAMPLES];
static int16_t window[1 << 16];

/* Print values of the model's input or output, which have one type. */
static void print_values(const char *what, const void *values, uint32_t count)
{
    const bool is_wide = ear_model_info.input.type == EAR_TYPE_INT16;
    printf("%s", what);
    for (uint32_t i = 0; i < count; ++i) {
        printf(" %d", is_wide ? ((const int16_t *)values)[i] : ((const int8_t *)values)[i]);
    }
    printf("\n");
}

static void report(uint32_t flags)
{
    if (flags & EAR_FRAME_READY) {
        printf("frame");
        for (uint32_t i = 0; i < ear_recognizer_info.feature_count; ++i) {
            printf(" %d", ear_recognizer_frame()[i]);
        }
        printf("\n");
    }
    if (flags & EAR_INFERENCE_DONE) {
        print_values("scores", ear_model_output(), ear_model_info.label_count);
    }
    if (flags & EAR_EVENT) {
        const ear_event_t *const event = ear_recognizer_event();
        printf("event %u %u %u\n", (unsigned)event->label, (unsigned)event->score,
               (unsigned)event->sample);
    }
}

/* Push exactly `count` samples, from memory that ends with them. */
static int push(const int16_t *samples, uint32_t count)
{
    int16_t *const exact = malloc(count * sizeof(int16_t) + 1);
    memcpy(exact, samples, count * sizeof(int16_t));
    uint32_t done = 0;
    do {
        uint32_t consumed, flags;
        if (ear_recognizer_push(exact + done, count - done, &consumed, &flags) != EAR_OK) {
            return 0;
        }
        report(flags);
        done += consumed;
    } while (done < count);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    const ear_mode_t mode = strcmp(argv[1], "clip") == 0 ? EAR_MODE_CLIP : EAR_MODE_STREAM;
    uint32_t random = (uint32_t)strtoul(argv[2], NULL, 10);
    const uint32_t count = (uint32_t)fread(pcm, sizeof(int16_t), MAX_SAMPLES, stdin);
    ear_recognizer_reset(mode);
    for (uint32_t done = 0; done < count;) {
        random = random * 1664525u + 1013904223u;
        const uint32_t size = (random >> 16) % MAX_PUSH;
        const uint32_t piece = size < count - done ? size : count - done;
        if (!push(pcm + done, piece)) {
            return 1;
        }
        done += piece;
    }
    if (mode == EAR_MODE_CLIP) {
        if (ear_recognizer_infer() != EAR_OK) {
            return 1;
        }
        print_values("scores", ear_model_output(), ear_model_info.label_count);
    }
    ear_recognizer_window(window);
    print_values("window", window, ear_recognizer_info.frames * ear_recognizer_info.feature_count);
    return 0;
}
