/* Clips and streams of firmware without a front end, which hears nothing. */
#include "ear_session_parts.h"

#include "ear_protocol.h"
#include "ear_recognizer.h"

#define ANSWER(handler, status)                                                \
    ear_status_t handler(const uint8_t *in, size_t count, size_t *reply) {     \
        (void)in;                                                              \
        (void)count;                                                           \
        (void)reply;                                                           \
        return status;                                                         \
    }

ANSWER(ear_serve_clip_begin, EAR_ERROR_UNSUPPORTED)
ANSWER(ear_serve_stream_begin, EAR_ERROR_UNSUPPORTED)
/* The rest are of what was never begun. */
ANSWER(ear_serve_audio, EAR_ERROR_STATE)
ANSWER(ear_serve_clip_end, EAR_ERROR_STATE)
ANSWER(ear_serve_stream_end, EAR_ERROR_STATE)
ANSWER(ear_serve_resend, EAR_ERROR_STATE)
ANSWER(ear_serve_listen, EAR_ERROR_STATE)

void ear_session_hear_microphone(void) {
}

void ear_session_stop_listening(void) {
    ear_recognizer_reset(EAR_MODE_CLIP);
}
