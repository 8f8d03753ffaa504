/* The model as the firmware sees it, whichever engine runs it.
 *
 * The generated model.c (engine `ear`) or the TFLite-Micro wrapper (engine `tflm`) defines these.
 * One model per firmware; not reentrant.
 */
#ifndef EAR_MODEL_H
#define EAR_MODEL_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { EAR_TYPE_INT8 = 0, EAR_TYPE_INT16 = 1, EAR_TYPE_UINT8 = 2, EAR_TYPE_INT32 = 3,
               EAR_TYPE_FLOAT32 = 4, EAR_TYPE_UINT32 = 5, EAR_TYPE_INT64 = 6, EAR_TYPE_UINT64 = 7,
               EAR_TYPE_BOOL = 8, EAR_TYPE_UINT16 = 9 } ear_type_t;

typedef struct {
    uint32_t bytes;
    ear_type_t type;
} ear_tensor_t;

typedef struct {
    const char *name;             /* UTF-8 */
    uint8_t hash[8];              /* first bytes of the SHA-256 of the .tflite file */
    const char *engine;           /* "ear" or "tflm" */
    const char *const *labels;    /* UTF-8, one per output */
    uint32_t label_count;
    uint32_t layer_count;
    const ear_tensor_t *layers;   /* [layer_count]: output of each layer, in order of execution */
    ear_tensor_t input;
    ear_tensor_t output;          /* label_count elements */
    uint32_t arena_bytes;
    uint32_t state_bytes;         /* kept from one inference to the next, beside the arena; 0: none */
} ear_model_info_t;

extern const ear_model_info_t ear_model_info;

/* Watches an inference layer by layer: for profiles, and to look at any layer's output. */
typedef struct {
    /* Called after layer `layer`. Returning true ends the inference there: `output` then stays
     * valid until the input is written or the model runs again. State is then half of this
     * inference and half of the last: reset the model before the next. */
    bool (*after_layer)(void *user, uint32_t layer, const void *output);
    void *user;
} ear_observer_t;

/* Call once before anything else. */
ear_status_t ear_model_init(void);

/* Put the state of a streaming model to its start, as ear_model_init() does: the next inference is
 * the first. Models without state (state_bytes is 0) do not change. */
void ear_model_reset(void);

/* The input tensor, ear_model_info.input.bytes long, aligned to 16 bytes. Its memory may serve
 * other tensors during an inference: write all of it before each. */
void *ear_model_input(void);

/* Run the model once. observer may be NULL. */
ear_status_t ear_model_invoke(const ear_observer_t *observer);

/* The output of the last whole inference; valid until the input is written. */
const void *ear_model_output(void);

#ifdef __cplusplus
}
#endif

#endif
