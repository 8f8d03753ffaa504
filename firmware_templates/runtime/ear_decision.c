#include "ear_decision.h"

#include <string.h>

void ear_scores_s8(const int8_t *outputs, uint32_t count, uint8_t *scores)
{
    for (uint32_t i = 0; i < count; ++i) {
        scores[i] = (uint8_t)(outputs[i] + 128);
    }
}

void ear_scores_s16(const int16_t *outputs, uint32_t count, uint8_t *scores)
{
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t steps = (outputs[i] + 64) >> 7;
        scores[i] = (uint8_t)(steps < 0 ? 0 : steps > 255 ? 255 : steps);
    }
}

void ear_scores_u8(const uint8_t *outputs, uint32_t count, uint8_t *scores)
{
    memcpy(scores, outputs, count);
}

void ear_scores_f32(const float *outputs, uint32_t count, uint8_t *scores)
{
    for (uint32_t i = 0; i < count; ++i) {
        const float steps = outputs[i] * 256.0f;
        const float raised = steps + 0.5f;
        /* Not a number is not above 0. */
        scores[i] = (uint8_t)(raised >= 255.0f ? 255u : raised > 0.0f ? (uint32_t)raised : 0u);
    }
}

static void forget_scores(ear_decision_t *decision)
{
    const ear_decision_spec_t *const spec = decision->spec;
    memset(decision->history, 0, spec->window * spec->labels);
    memset(decision->sums, 0, spec->labels * sizeof(uint32_t));
}

void ear_decision_reset(ear_decision_t *decision)
{
    forget_scores(decision);
    decision->row = 0;
    decision->event_sample = 0;
    decision->has_event = 0;
    decision->is_warm = 0;
    decision->peak_sum = 0;
    decision->peak = (ear_event_t){0, 0, 0};
}

/* Replace the oldest scores. Returns the label with the highest sum. */
static uint32_t take(ear_decision_t *decision, const uint8_t *scores)
{
    const ear_decision_spec_t *const spec = decision->spec;
    uint8_t *const oldest = decision->history + decision->row * spec->labels;
    uint32_t best = 0;
    for (uint32_t i = 0; i < spec->labels; ++i) {
        decision->sums[i] += scores[i];
        decision->sums[i] -= oldest[i];
        oldest[i] = scores[i];
        if (decision->sums[i] > decision->sums[best]) {
            best = i;
        }
    }
    decision->row = decision->row + 1 == spec->window ? 0 : decision->row + 1;
    return best;
}

static void note_peak(ear_decision_t *decision, uint32_t sample)
{
    const ear_decision_spec_t *const spec = decision->spec;
    for (uint32_t i = 0; i < spec->labels; ++i) {
        if (!spec->ignored[i] && decision->sums[i] > decision->peak_sum) {
            decision->peak_sum = decision->sums[i];
            decision->peak = (ear_event_t){i, decision->sums[i] / spec->window, sample};
        }
    }
}

bool ear_decision_push(ear_decision_t *decision, const uint8_t *scores, uint32_t sample,
                       ear_event_t *event)
{
    const ear_decision_spec_t *const spec = decision->spec;
    const uint32_t best = take(decision, scores);
    note_peak(decision, sample);
    if (sample >= spec->warmup_samples) {
        decision->is_warm = 1; /* and stays so when the count of samples wraps */
    }
    if (decision->is_warm == 0 || spec->ignored[best] || decision->sums[best] < spec->least_sum) {
        return false;
    }
    if (decision->has_event && sample - decision->event_sample < spec->refractory_samples) {
        return false;
    }
    decision->event_sample = sample;
    decision->has_event = 1;
    *event = (ear_event_t){best, decision->sums[best] / spec->window, sample};
    if (spec->clears) {
        forget_scores(decision);
    }
    return true;
}
