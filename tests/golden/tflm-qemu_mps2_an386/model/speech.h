/* edgeasr 0.1.0: model tiny (e58077abd370b3f7) for board qemu_mps2_an386. Generated: do not edit.
 * Sizes of the recogniser. The interface is ear_recognizer.h. */
#ifndef EAR_GENERATED_SPEECH_H
#define EAR_GENERATED_SPEECH_H

#define EAR_SPEECH_SAMPLE_RATE_HZ 16000
#define EAR_SPEECH_FRAMES 6
#define EAR_SPEECH_FEATURES 8
#define EAR_SPEECH_CLIP_SAMPLES 2080
#define EAR_SPEECH_LABELS 4

#endif
