/* Pushes raw PCM from standard input through the recogniser and prints what happens.
 *
 *     driver stream|clip SEED < pcm
 *
 * SEED drives the sizes of the pushes, 0 to 1023 samples. The last lines are the recogniser's peak
 * and the window. What is pushed is pushed twice, with a reset between: the second run counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ear_model.h"
#include "ear_recognizer.h"

#define MAX_SAMPLES 200000
#define MAX_PUSH 1024

static int16_t pcm[MAX_SAMPLES];
static uint32_t window[1 << 15];

static double value(ear_type_t type, const void *values, uint32_t i)
{
    switch (type) {
    case EAR_TYPE_FLOAT32:
        return (double)((const float *)values)[i];
    case EAR_TYPE_INT16:
        return ((const int16_t *)values)[i];
    case EAR_TYPE_UINT8:
        return ((const uint8_t *)values)[i];
    default:
        return ((const int8_t *)values)[i];
    }
}

/* Print values of the model's input or output, which have one type. */
static void print_values(const char *what, const void *values, uint32_t count)
{
    printf("%s", what);
    for (uint32_t i = 0; i < count; ++i) {
        printf(" %.9g", value(ear_model_info.input.type, values, i));
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
    uint32_t consumed, flags;
    ear_recognizer_reset(mode);
    for (uint32_t done = 0; done < count; done += consumed) {
        (void)ear_recognizer_push(pcm + done, count - done, &consumed, &flags);
    }
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
    const ear_event_t *const peak = ear_recognizer_peak();
    printf("peak %u %u %u\n", (unsigned)peak->label, (unsigned)peak->score,
           (unsigned)peak->sample);
    if (mode == EAR_MODE_CLIP && !ear_recognizer_streams()) {
        if (ear_recognizer_infer() != EAR_OK) {
            return 1;
        }
        print_values("scores", ear_model_output(), ear_model_info.label_count);
    }
    ear_recognizer_window(window);
    print_values("window", window, ear_recognizer_info.frames * ear_recognizer_info.feature_count);
    return 0;
}
