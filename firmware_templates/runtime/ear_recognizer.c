#include "ear_recognizer.h"

#include <string.h>

static struct {
    ear_frontend_t frontend;
    ear_decision_t decision;
    ear_event_t event;
    ear_mode_t mode;
    uint32_t row;     /* of the window's oldest frame */
    uint32_t due;     /* frames until the next inference */
    uint32_t early;   /* inferences left that lead to nothing */
    uint32_t samples; /* heard since the reset; wraps */
} recognizer;

static uint32_t row_bytes(void)
{
    return ear_recognizer_info.feature_count * ear_recognizer_spec.input_bytes;
}

static void add_row(void)
{
    const ear_recognizer_spec_t *const spec = &ear_recognizer_spec;
    spec->quantize(spec->quantization, spec->features, ear_recognizer_info.feature_count,
                   (uint8_t *)spec->window + recognizer.row * row_bytes());
    recognizer.row = recognizer.row + 1 == ear_recognizer_info.frames ? 0 : recognizer.row + 1;
}

void ear_recognizer_reset(ear_mode_t mode)
{
    const ear_recognizer_spec_t *const spec = &ear_recognizer_spec;
    const uint32_t features = ear_recognizer_info.feature_count;
    recognizer.frontend =
        (ear_frontend_t){.spec = spec->frontend, .samples = spec->samples, .words = spec->words};
    recognizer.decision =
        (ear_decision_t){.spec = spec->decision, .history = spec->history, .sums = spec->sums};
    recognizer.event = (ear_event_t){0, 0, 0};
    recognizer.mode = mode;
    recognizer.row = 0;
    recognizer.due = ear_recognizer_info.frames - spec->early_frames;
    recognizer.early = spec->early_runs;
    recognizer.samples = 0;
    ear_model_reset();
    ear_frontend_reset(&recognizer.frontend);
    ear_decision_reset(&recognizer.decision);
    memset(spec->features, 0, features * sizeof(int16_t));
    for (uint32_t row = 0; row < ear_recognizer_info.frames; ++row) {
        add_row();
    }
}

uint32_t ear_recognizer_window_bytes(void)
{
    const uint32_t bytes = ear_recognizer_info.frames * row_bytes();
    const bool fits = ear_model_info.input.bytes == bytes &&
                      ear_model_info.input.type == ear_recognizer_spec.input_type;
    return fits ? bytes : 0u;
}

void ear_recognizer_window(void *window)
{
    const uint8_t *const from = ear_recognizer_spec.window;
    const uint32_t newer = recognizer.row * row_bytes();
    const uint32_t older = ear_recognizer_info.frames * row_bytes() - newer;
    memcpy(window, from + newer, older);
    memcpy((uint8_t *)window + older, from, newer);
}

/* Bytes of the model's output where scores can be made of it, else 0. */
static uint32_t output_bytes(void)
{
    const uint32_t labels = ear_recognizer_spec.decision->labels;
    switch (ear_model_info.output.type) {
    case EAR_TYPE_INT8:
    case EAR_TYPE_UINT8:
        return labels;
    case EAR_TYPE_INT16:
        return labels * (uint32_t)sizeof(int16_t);
    case EAR_TYPE_FLOAT32:
        return labels * (uint32_t)sizeof(float);
    default:
        return 0;
    }
}

ear_status_t ear_recognizer_infer(void)
{
    if (ear_recognizer_window_bytes() == 0u || ear_model_info.output.bytes != output_bytes()) {
        return EAR_ERROR_MODEL;
    }
    ear_recognizer_window(ear_model_input());
    return ear_model_invoke(NULL);
}

static bool decide(void)
{
    const uint32_t labels = ear_recognizer_spec.decision->labels;
    uint8_t *const scores = ear_recognizer_spec.scores;
    switch (ear_model_info.output.type) {
    case EAR_TYPE_UINT8:
        ear_scores_u8(ear_model_output(), labels, scores);
        break;
    case EAR_TYPE_INT16:
        ear_scores_s16(ear_model_output(), labels, scores);
        break;
    case EAR_TYPE_FLOAT32:
        ear_scores_f32(ear_model_output(), labels, scores);
        break;
    default:
        ear_scores_s8(ear_model_output(), labels, scores);
        break;
    }
    return ear_decision_push(&recognizer.decision, scores, recognizer.samples, &recognizer.event);
}

ear_status_t ear_recognizer_push(const int16_t *pcm, uint32_t count, uint32_t *consumed,
                                 uint32_t *flags)
{
    *flags = 0;
    const bool ready = ear_frontend_push(&recognizer.frontend, pcm, count, consumed,
                                         ear_recognizer_spec.features);
    recognizer.samples += *consumed;
    if (!ready) {
        return EAR_OK;
    }
    *flags |= EAR_FRAME_READY;
    add_row();
    const bool awaits = recognizer.mode == EAR_MODE_CLIP && !ear_recognizer_streams();
    if (awaits || --recognizer.due > 0) {
        return EAR_OK;
    }
    recognizer.due = ear_recognizer_spec.hop_frames;
    const ear_status_t status = ear_recognizer_infer();
    if (status != EAR_OK) {
        return status;
    }
    if (recognizer.early > 0u) {
        --recognizer.early;
        *flags |= EAR_EARLY_RUN;
        return EAR_OK;
    }
    *flags |= EAR_INFERENCE_DONE;
    if (decide()) {
        *flags |= EAR_EVENT;
    }
    return EAR_OK;
}

bool ear_recognizer_streams(void)
{
    return ear_model_info.state_bytes > 0u;
}

const ear_event_t *ear_recognizer_peak(void)
{
    return &recognizer.decision.peak;
}

const int16_t *ear_recognizer_frame(void)
{
    return ear_recognizer_spec.features;
}

const ear_event_t *ear_recognizer_event(void)
{
    return &recognizer.event;
}
