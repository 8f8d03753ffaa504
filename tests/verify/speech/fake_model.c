/* A model whose scores are simple to foresee: score i is the sum of the inputs, each rounded towards
 * zero, plus 85 i, mod 256, in steps of 1/256. FAKE_MODEL_TYPE: C type of its input and output.
 * FAKE_STATE_BYTES: 0, or 4 for a model that adds the sums of all inferences since its reset. */
#include "ear_model.h"
#include "speech.h"

typedef FAKE_MODEL_TYPE value_t;

#define IS_FLOAT ((value_t)0.5 > 0)
#define IS_SIGNED ((value_t)-1 < 0)
#define TYPE                                                                                      \
    (IS_FLOAT ? EAR_TYPE_FLOAT32                                                                   \
     : sizeof(value_t) == 2u ? EAR_TYPE_INT16                                                      \
     : IS_SIGNED ? EAR_TYPE_INT8 : EAR_TYPE_UINT8)
#define INPUTS (EAR_SPEECH_FRAMES * EAR_SPEECH_FEATURES)

static value_t input[INPUTS];
static value_t output[EAR_SPEECH_LABELS];
static uint32_t kept;

const ear_model_info_t ear_model_info = {
    .name = "fake",
    .engine = "ear",
    .label_count = EAR_SPEECH_LABELS,
    .input = {sizeof input, TYPE},
    .output = {sizeof output, TYPE},
    .state_bytes = FAKE_STATE_BYTES,
};

void ear_model_reset(void)
{
    kept = 0;
}

ear_status_t ear_model_init(void)
{
    ear_model_reset();
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

static value_t score(uint32_t steps)
{
    switch (TYPE) {
    case EAR_TYPE_FLOAT32:
        return (value_t)((float)steps / 256.0f);
    case EAR_TYPE_INT16:
        return (value_t)(128 * (int32_t)steps);
    case EAR_TYPE_INT8:
        return (value_t)((int32_t)steps - 128);
    default:
        return (value_t)steps;
    }
}

ear_status_t ear_model_invoke(const ear_observer_t *observer)
{
    (void)observer;
    uint32_t sum = kept;
    for (uint32_t i = 0; i < INPUTS; ++i) {
        const int32_t whole = (int32_t)input[i];
        sum += (uint32_t)whole;
    }
    kept = FAKE_STATE_BYTES > 0 ? sum : 0u;
    for (uint32_t i = 0; i < EAR_SPEECH_LABELS; ++i) {
        output[i] = score((sum + 85u * i) & 0xFFu);
    }
    return EAR_OK;
}
