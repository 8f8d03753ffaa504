/* A device for the client's tests: the real session and frames, with a model, a recogniser and a
 * port whose every answer test code can compute. fake.py says the same in Python. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "board_config.h"
#include "ear_model.h"
#include "ear_recognizer.h"
#include "ear_session.h"
#include "port.h"

#define FRAMES 20u
#define FEATURES 40u
#define FRAME_SAMPLES 100u
#define LABELS 5u
#define INPUT (FRAMES * FEATURES)
#define LAYERS 150u /* more than one reply to PROFILE holds */
#ifndef FAKE_STATE_BYTES
#define FAKE_STATE_BYTES 0u /* else each inference adds how many there were since the reset */
#endif

/* --- The model: layer k adds k + 1 to every byte of the input; the last sums them up. ----------- */

static const char *const labels[LABELS] = {"_silence_", "\"quoted\"", "*/", "gr\303\274n", "yes"};
static ear_tensor_t layers[LAYERS];
static uint8_t input[INPUT];
static uint8_t work[INPUT];
static int8_t output[LABELS];
static uint8_t runs; /* since the reset */

const ear_model_info_t ear_model_info = {
    .name = "fake", .hash = {1, 2, 3, 4, 5, 6, 7, 8}, .engine = "ear", .labels = labels,
    .label_count = LABELS, .layer_count = LAYERS, .layers = layers,
    .input = {INPUT, EAR_TYPE_INT8}, .output = {LABELS, EAR_TYPE_INT8}, .arena_bytes = 2u * INPUT,
    .state_bytes = FAKE_STATE_BYTES,
};

ear_status_t ear_model_init(void) {
    for (uint32_t i = 0; i < LAYERS; i++) {
        layers[i] = (ear_tensor_t){i + 1u < LAYERS ? INPUT : LABELS, EAR_TYPE_INT8};
    }
    return EAR_OK;
}

void ear_model_reset(void) {
    runs = 0;
}

void *ear_model_input(void) {
    return input;
}

const void *ear_model_output(void) {
    return output;
}

ear_status_t ear_model_invoke(const ear_observer_t *observer) {
    memcpy(work, input, INPUT);
    memset(input, 0xEE, INPUT); /* the arena serves other tensors now */
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        const bool last = layer + 1u == LAYERS;
        for (uint32_t i = 0; i < INPUT && !last; i++) {
            work[i] = (uint8_t)(work[i] + layer + 1u);
        }
        uint8_t sums[LABELS] = {FAKE_STATE_BYTES > 0u && last ? runs++ : 0u};
        for (uint32_t i = 0; i < INPUT && last; i++) {
            sums[i % LABELS] = (uint8_t)(sums[i % LABELS] + work[i]);
        }
        if (last) {
            memcpy(output, sums, LABELS);
        }
        if (observer != NULL && observer->after_layer(observer->user, layer,
                                                      last ? (void *)output : (void *)work)) {
            break;
        }
    }
    return EAR_OK;
}

/* --- The recogniser: frames that do not overlap; an event at every third inference. ------------- */

const ear_recognizer_info_t ear_recognizer_info = {16000, FRAMES, FEATURES, FRAMES * FRAME_SAMPLES};

static struct {
    ear_mode_t mode;
    int16_t pcm[FRAME_SAMPLES];
    int16_t features[FEATURES];
    int8_t window[INPUT];
    uint32_t filled;
    uint32_t due;
    uint32_t inferences;
    uint32_t samples;
    ear_event_t event;
} heard;

void ear_recognizer_reset(ear_mode_t mode) {
    ear_model_reset();
    memset(&heard, 0, sizeof heard);
    heard.mode = mode;
    heard.due = FRAMES;
}

static void add_row(void) {
    memmove(heard.window, heard.window + FEATURES, INPUT - FEATURES);
    for (uint32_t i = 0; i < FEATURES; i++) {
        heard.features[i] = (int16_t)(heard.pcm[i] ^ heard.pcm[FRAME_SAMPLES - 1u - i]);
        heard.window[INPUT - FEATURES + i] = (int8_t)(heard.features[i] / 256);
    }
}

ear_status_t ear_recognizer_push(const int16_t *pcm, uint32_t count, uint32_t *consumed,
                                 uint32_t *flags) {
    const uint32_t room = FRAME_SAMPLES - heard.filled;
    *consumed = count < room ? count : room;
    *flags = 0;
    memcpy(heard.pcm + heard.filled, pcm, *consumed * sizeof *pcm);
    heard.filled += *consumed;
    heard.samples += *consumed;
    if (heard.filled < FRAME_SAMPLES) {
        return EAR_OK;
    }
    heard.filled = 0;
    add_row();
    *flags = EAR_FRAME_READY;
    const bool runs_by_itself = heard.mode == EAR_MODE_STREAM || ear_recognizer_streams();
    if (runs_by_itself && --heard.due == 0u) {
        heard.due = 2;
        (void)ear_recognizer_infer();
        *flags |= EAR_INFERENCE_DONE;
        if (++heard.inferences % 3u == 0u) {
            heard.event = (ear_event_t){heard.inferences % LABELS, heard.inferences % 256u,
                                        heard.samples};
            *flags |= EAR_EVENT;
        }
    }
    return EAR_OK;
}

bool ear_recognizer_streams(void) {
    return ear_model_info.state_bytes > 0u;
}

const ear_event_t *ear_recognizer_peak(void) {
    return &heard.event;
}

const int16_t *ear_recognizer_frame(void) {
    return heard.features;
}

const ear_event_t *ear_recognizer_event(void) {
    return &heard.event;
}

uint32_t ear_recognizer_window_bytes(void) {
    return INPUT;
}

void ear_recognizer_window(void *window) {
    memcpy(window, heard.window, INPUT);
}

ear_status_t ear_recognizer_infer(void) {
    ear_recognizer_window(ear_model_input());
    return ear_model_invoke(NULL);
}

/* --- The port: stdin and stdout. With FAKE_CHECK_WINDOW, more than the window ends the program. -- */

static bool running = true;

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    struct pollfd watched = {.fd = STDIN_FILENO, .events = POLLIN};
    int waiting = 0;
    if (poll(&watched, 1, 0) <= 0) {
        return 0;
    }
    if (getenv("FAKE_CHECK_WINDOW") != NULL && ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 &&
        waiting > (int)EAR_PORT_RX_BYTES) {
        (void)fprintf(stderr, "%d bytes are waiting, the window is %u\n", waiting,
                      (unsigned)EAR_PORT_RX_BYTES);
        exit(3);
    }
    const ssize_t count = read(STDIN_FILENO, bytes, capacity);
    running = count > 0;
    return running ? (size_t)count : 0u;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    while (count > 0u && running) {
        const ssize_t sent = write(STDOUT_FILENO, bytes, count);
        running = sent > 0;
        bytes += running ? sent : 0;
        count -= running ? (size_t)sent : 0u;
    }
}

uint32_t ear_port_ticks(void) {
    static uint32_t ticks = 0xFFFFFF00u; /* wraps soon */
    return ticks += 7u;
}

int main(void) {
    struct pollfd watched = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)ear_model_init();
    ear_session_init();
    while (running) {
        ear_session_poll();
        (void)poll(&watched, 1, 100);
    }
    return 0;
}
