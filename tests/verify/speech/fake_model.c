/* A model whose scores are simple to foresee: score i is the sum of the inputs plus 85 i, mod 256. */
#include "ear_model.h"
#include "speech.h"

static int8_t input[EAR_SPEECH_FRAMES * EAR_SPEECH_FEATURES];
static int8_t output[EAR_SPEECH_LABELS];

const ear_model_info_t ear_model_info = {
    .name = "fake",
    .engine = "ear",
    .label_count = EAR_SPEECH_LABELS,
    .input = {sizeof input, EAR_TYPE_INT8},
    .output = {sizeof output, EAR_TYPE_INT8},
};

ear_status_t ear_model_init(void)
{
    return EAR_OK;
}

void *ear_model_input(void)
{
    return input;
}

const void *ear_model_output(void)
{
    return output;
}

ear_status_t ear_model_invoke(const ear_observer_t *observer)
{
    (void)observer;
    int32_t sum = 0;
    for (uint32_t i = 0; i < sizeof input; ++i) {
        sum += input[i];
    }
    for (uint32_t i = 0; i < EAR_SPEECH_LABELS; ++i) {
        output[i] = (int8_t)((int32_t)(((uint32_t)sum + 85 * i) & 0xFFu) - 128);
    }
    return EAR_OK;
}
