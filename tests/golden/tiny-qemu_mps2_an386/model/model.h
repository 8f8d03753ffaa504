/* edgeasr 0.1.0: model tiny (e58077abd370b3f7) for board qemu_mps2_an386. Generated: do not edit.
 * Sizes of the model. The interface is ear_model.h. */
#ifndef EAR_GENERATED_MODEL_H
#define EAR_GENERATED_MODEL_H

#define EAR_MODEL_ARENA_BYTES 208
#define EAR_MODEL_STATE_BYTES 0
#define EAR_MODEL_INPUT_BYTES 48
#define EAR_MODEL_OUTPUT_BYTES 4
#define EAR_MODEL_LAYERS 4
#define EAR_MODEL_LABELS 4

#endif
