/* A model whose scores are simple to foresee: score i is the sum of the inputs plus 85 i, mod 256,
 * in steps of 1/256. FAKE_MODEL_TYPE: int8 or int16, the type of its input and output. */
#include "ear_model.h"
#include "speech.h"

#define JOIN(a, b) a##b
#define NAME(a, b) JOIN(a, b)
typedef NAME(FAKE_MODEL_TYPE, _t) value_t;

#define IS_WIDE (sizeof(value_t) == 2u)
#define TYPE (IS_WIDE ? EAR_TYPE_INT16 : EAR_TYPE_INT8)
#define INPUTS (EAR_SPEECH_FRAMES * EAR_SPEECH_FEATURES)

static value_t input[INPUTS];
static value_t output[EAR_SPEECH_LABELS];

const ear_model_info_t ear_model_info = {
    .name = "fake",
    .engine = "ear",
    .label_count = EAR_SPEECH_LABELS,
    .input = {sizeof input, TYPE},
    .output = {sizeof output, TYPE},
};

ear_status_t ear_model_init(void)
{
    return EAR_OK;
}

void ear_model_reset(void)
{
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
    for (uint32_t i = 0; i < INPUTS; ++i) {
        sum += input[i];
    }
    for (uint32_t i = 0; i < EAR_SPEECH_LABELS; ++i) {
        const int32_t steps = (int32_t)(((uint32_t)sum + 85 * i) & 0xFFu);
        output[i] = (value_t)(IS_WIDE ? 128 * steps : steps - 128);
    }
    return EAR_OK;
}
