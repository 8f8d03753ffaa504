/* The recogniser: PCM, front end, feature window, model, decision, event.
 *
 * There is one per firmware; not reentrant. Its sizes, buffers and constants are the generated
 * speech.c; firmware of a model without a front end has ear_recognizer_none.c in its place, whose
 * sample rate is 0 and which refuses all. The window holds the last `frames` rows of features, in
 * the type of the model's input; rows not yet heard count as features of 0.
 *
 * A streaming model, one with state, takes each row once: its window is full after `frames` new
 * rows, in clips as in streams, and its state lasts until the next reset. Where its state stands for
 * a longer window, its first inferences have not heard all of it: they lead to nothing.
 */
#ifndef EAR_RECOGNIZER_H
#define EAR_RECOGNIZER_H

#include "ear.h"
#include "ear_decision.h"
#include "ear_frontend.h"
#include "ear_model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t sample_rate_hz;
    uint32_t frames;        /* rows of the window */
    uint32_t feature_count; /* features of one row */
    uint32_t clip_samples;  /* samples that fill the window exactly */
} ear_recognizer_info_t;

extern const ear_recognizer_info_t ear_recognizer_info;

/* What speech.c defines: constants, and the memory that they describe. */
typedef struct {
    const ear_frontend_spec_t *frontend;
    const ear_decision_spec_t *decision;
    ear_quantize_features_t *quantize;
    const void *quantization; /* of `quantize` */
    uint32_t input_bytes;     /* of a feature in the window */
    ear_type_t input_type;    /* of the window */
    uint32_t hop_frames; /* rows from one inference to the next, 1 or more */
    uint32_t early_frames; /* rows, less than `frames`, by which the first inference is earlier */
    uint32_t early_runs; /* inferences after a reset that lead to nothing */
    int16_t *samples;    /* [frontend->window_samples] */
    uint32_t *words;     /* [frontend->state_words + frontend->scratch_words] */
    int16_t *features;   /* [feature_count] */
    void *window;        /* [frames * feature_count], quantized */
    uint8_t *history;    /* [decision->window * decision->labels] */
    uint32_t *sums;      /* [decision->labels] */
    uint8_t *scores;     /* [decision->labels] */
} ear_recognizer_spec_t;

extern const ear_recognizer_spec_t ear_recognizer_spec;

typedef enum {
    EAR_MODE_STREAM = 0, /* the model runs once the window is full, then every hop_frames */
    EAR_MODE_CLIP = 1    /* the model runs when ear_recognizer_infer() is called; a streaming model
                          * as in a stream */
} ear_mode_t;

/* Flags of a push. */
#define EAR_FRAME_READY 1u    /* a row of features was made: ear_recognizer_frame() */
#define EAR_INFERENCE_DONE 2u /* the model ran: ear_model_output() */
#define EAR_EVENT 4u          /* something was recognised: ear_recognizer_event() */
#define EAR_EARLY_RUN 8u      /* the model ran, and has yet to hear a whole window */

/* Forget all that was heard, the model's state too, and choose the mode. Needed once before the
 * first push. */
void ear_recognizer_reset(ear_mode_t mode);

/* Take samples up to the end of the next frame and do all that is then due, so that the caller sees
 * each frame. Call again with the rest until *consumed == count; a frame is never due with no
 * samples left. *flags: what happened. Fails as ear_recognizer_infer() does, after the frame was
 * taken. */
ear_status_t ear_recognizer_push(const int16_t *pcm, uint32_t count, uint32_t *consumed,
                                 uint32_t *flags);

/* The last row of features, before quantization: [feature_count]. */
const int16_t *ear_recognizer_frame(void);

/* The last event; valid after EAR_EVENT. */
const ear_event_t *ear_recognizer_event(void);

/* Whether the model is a streaming one. */
bool ear_recognizer_streams(void);

/* Where the mean score of a label that is not ignored was highest since the reset; a score of 0
 * where all were 0. */
const ear_event_t *ear_recognizer_peak(void);

/* Bytes of the window, or 0 where the model's input does not have the window's size and type. */
uint32_t ear_recognizer_window_bytes(void);

/* Copy the window, oldest row first: [frames * feature_count], the model's input. */
void ear_recognizer_window(void *window);

/* Run the model on the window as it is now.
 * EAR_ERROR_MODEL: the model's ends do not have the recogniser's sizes and types. */
ear_status_t ear_recognizer_infer(void);

#ifdef __cplusplus
}
#endif

#endif
