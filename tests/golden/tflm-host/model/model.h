/* edgeasr 0.1.0: model n*?" (3b98e5eef358ec4b) for board host. Generated: do not edit.
 * Sizes of the model, and its file. The interface is ear_model.h. */
#ifndef EAR_GENERATED_MODEL_H
#define EAR_GENERATED_MODEL_H

#include <stdint.h>

#define EAR_MODEL_ARENA_BYTES 2080
#define EAR_MODEL_INPUT_BYTES 48
#define EAR_MODEL_OUTPUT_BYTES 4
#define EAR_MODEL_LAYERS 4
#define EAR_MODEL_LABELS 4

/* Length and CRC-32 (as of zlib) of the .tflite file. */
#define EAR_MODEL_DATA_BYTES 2272u
#define EAR_MODEL_DATA_CRC 0x904d6ff9u

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t ear_model_data[EAR_MODEL_DATA_BYTES];
extern const uint32_t ear_model_data_bytes;

#ifdef __cplusplus
}
#endif

#endif
