#include "ear_recognizer.h"

#include <string.h>

#include "ear_model.h"

static struct {
    ear_frontend_t frontend;
    ear_decision_t decision;
    ear_event_t event;
    ear_mode_t mode;
    uint32_t row;     /* of the window's oldest frame */
    uint32_t due;     /* frames until the next inference */
    uint32_t samples; /* heard since the reset; wraps */
} recognizer;

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
    recognizer.due = ear_recognizer_info.frames;
    recognizer.samples = 0;
    ear_frontend_reset(&recognizer.frontend);
    ear_decision_reset(&recognizer.decision);
    memset(spec->features, 0, features * sizeof(int16_t));
    for (uint32_t row = 0; row < ear_recognizer_info.frames; ++row) {
        ear_quantize_features(&spec->quantization, spec->features, features,
                              spec->window + row * features);
    }
}

static void add_row(void)
{
    const ear_recognizer_spec_t *const spec = &ear_recognizer_spec;
    const uint32_t features = ear_recognizer_info.feature_count;
    ear_quantize_features(&spec->quantization, spec->features, features,
                          spec->window + recognizer.row * features);
    recognizer.row = recognizer.row + 1 == ear_recognizer_info.frames ? 0 : recognizer.row + 1;
}

void ear_recognizer_window(int8_t *window)
{
    const uint32_t features = ear_recognizer_info.feature_count;
    const uint32_t newer = recognizer.row * features;
    const uint32_t older = ear_recognizer_info.frames * features - newer;
    memcpy(window, ear_recognizer_spec.window + newer, older);
    memcpy(window + older, ear_recognizer_spec.window, newer);
}

ear_status_t ear_recognizer_infer(void)
{
    const uint32_t bytes = ear_recognizer_info.frames * ear_recognizer_info.feature_count;
    if (ear_model_info.input.bytes != bytes || ear_model_info.input.type != EAR_TYPE_INT8 ||
        ear_model_info.output.bytes != ear_recognizer_spec.decision->labels ||
        ear_model_info.output.type != EAR_TYPE_INT8) {
        return EAR_ERROR_MODEL;
    }
    ear_recognizer_window(ear_model_input());
    return ear_model_invoke(NULL);
}

static bool decide(void)
{
    const int8_t *const output = ear_model_output();
    uint8_t *const scores = ear_recognizer_spec.scores;
    for (uint32_t i = 0; i < ear_recognizer_spec.decision->labels; ++i) {
        scores[i] = (uint8_t)(output[i] + 128);
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
    if (recognizer.mode != EAR_MODE_STREAM || --recognizer.due > 0) {
        return EAR_OK;
    }
    recognizer.due = ear_recognizer_spec.hop_frames;
    const ear_status_t status = ear_recognizer_infer();
    if (status != EAR_OK) {
        return status;
    }
    *flags |= EAR_INFERENCE_DONE;
    if (decide()) {
        *flags |= EAR_EVENT;
    }
    return EAR_OK;
}

const int16_t *ear_recognizer_frame(void)
{
    return ear_recognizer_spec.features;
}

const ear_event_t *ear_recognizer_event(void)
{
    return &recognizer.event;
}
