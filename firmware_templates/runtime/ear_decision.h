/* The decision: scores of one inference after the other in, events out.
 *
 * A label's scores of the last `window` inferences (those not yet made count as zero) are summed up.
 * The label with the highest sum, the first of equals, becomes an event when it is not ignored, its
 * sum reaches least_sum, warmup_samples have been heard, and no event lies less than
 * refractory_samples back.
 */
#ifndef EAR_DECISION_H
#define EAR_DECISION_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t labels;
    uint32_t window;             /* inferences, 1 or more */
    uint32_t least_sum;          /* of an event's scores, 0 to 256 * window */
    uint32_t refractory_samples;
    uint32_t warmup_samples;
    uint32_t clears;             /* 1: an event sets the scores that led to it to zero */
    const uint8_t *ignored;      /* [labels] 1: never an event, such as silence and unknown words */
} ear_decision_spec_t;

typedef struct {
    uint32_t label;
    uint32_t score;  /* mean score, 0 to 255, rounded down */
    uint32_t sample; /* samples heard when it was decided */
} ear_event_t;

typedef struct {
    const ear_decision_spec_t *spec;
    uint8_t *history;      /* [window * labels], the caller's */
    uint32_t *sums;        /* [labels], the caller's */
    uint32_t row;          /* of the oldest inference in `history` */
    uint32_t event_sample; /* of the last event */
    uint32_t has_event;
    uint32_t is_warm;      /* warmup_samples have been heard */
    uint32_t peak_sum;     /* of the highest sum so far among labels that are not ignored; 0: none */
    ear_event_t peak;      /* what it was of, whether or not it made an event */
} ear_decision_t;

/* A model's outputs to scores in steps of 1/256, 0 to 255. From int8: scale 1/256 and zero point
 * -128; from uint8: the same with 0. From int16: scale 1/32768 and zero point 0; from float32: 0 to
 * 1; both rounded half up. What lies outside, and what is no number, counts as the nearest end, 0
 * for the latter. */
void ear_scores_s8(const int8_t *outputs, uint32_t count, uint8_t *scores);
void ear_scores_u8(const uint8_t *outputs, uint32_t count, uint8_t *scores);
void ear_scores_s16(const int16_t *outputs, uint32_t count, uint8_t *scores);
void ear_scores_f32(const float *outputs, uint32_t count, uint8_t *scores);

/* Forget all scores and events. Needed once before the first push. */
void ear_decision_reset(ear_decision_t *decision);

/* Take the scores of one inference, made when `sample` samples had been heard.
 * scores: [labels] 0 to 255. Returns true when there is an event, which is then in *event. */
bool ear_decision_push(ear_decision_t *decision, const uint8_t *scores, uint32_t sample,
                       ear_event_t *event);

#ifdef __cplusplus
}
#endif

#endif
