/* What the engine `tflm` tells beside ear_model.h. */
#ifndef EAR_TFLM_H
#define EAR_TFLM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the arena that the model takes; 0 before ear_model_init(), or where it failed. */
uint32_t ear_tflm_arena_used_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
