/* The recogniser of firmware that has none: its model is run on tensors alone. */
#include "ear_recognizer.h"

const ear_recognizer_info_t ear_recognizer_info = {0, 0, 0, 0};

void ear_recognizer_reset(ear_mode_t mode)
{
    (void)mode;
    ear_model_reset();
}

ear_status_t ear_recognizer_push(const int16_t *pcm, uint32_t count, uint32_t *consumed,
                                 uint32_t *flags)
{
    (void)pcm;
    (void)count;
    *consumed = 0;
    *flags = 0;
    return EAR_ERROR_UNSUPPORTED;
}

const int16_t *ear_recognizer_frame(void)
{
    return NULL;
}

static const ear_event_t nothing = {0, 0, 0};

const ear_event_t *ear_recognizer_event(void)
{
    return &nothing;
}

const ear_event_t *ear_recognizer_peak(void)
{
    return &nothing;
}

bool ear_recognizer_streams(void)
{
    return false;
}

uint32_t ear_recognizer_window_bytes(void)
{
    return 0;
}

void ear_recognizer_window(void *window)
{
    (void)window;
}

ear_status_t ear_recognizer_infer(void)
{
    return EAR_ERROR_UNSUPPORTED;
}
