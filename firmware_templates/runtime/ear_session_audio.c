#include "ear_session_parts.h"

#include <string.h>

#include "ear_microphone.h"
#include "ear_model.h"
#include "ear_protocol.h"
#include "ear_recognizer.h"
#include "port.h"

#define PCM_BLOCK 64u
/* Of the microphone in one poll: more than comes while the port sleeps, so that it catches up. */
#define MICROPHONE_BLOCKS 16u

_Static_assert(EAR_SESSION_STORE_BYTES >= EAR_RESULT_BYTES, "the store must hold a result");

typedef enum { IDLE, CLIP, STREAM } listening_t;

static struct {
    listening_t listening;
    uint32_t samples;
    uint32_t frames;
    uint32_t inferences;
    uint32_t features_crc;
    uint32_t outputs_crc; /* of a clip's inferences */
    bool had_event;
    uint64_t frontend_ticks;
    uint64_t inference_ticks;

    /* Results of the stream: those from number `taken` up to `made` are in the store. */
    uint32_t made;
    uint32_t taken;
    uint32_t score_bytes; /* in each; 0: results for events alone */
    bool microphone;      /* the stream is what the microphone hears */
} heard;

static uint8_t store[EAR_SESSION_STORE_BYTES];

#if EAR_PORT_MICROPHONE
/* Samples of the microphone that came and were not heard yet: the store was full. */
static struct {
    uint32_t at;
    uint32_t count;
    int16_t pcm[PCM_BLOCK];
} waiting;
#endif

/* Forget what was heard, and the model's state, and listen as said. */
static void listen(listening_t listening) {
    ear_recognizer_reset(listening == STREAM ? EAR_MODE_STREAM : EAR_MODE_CLIP);
    memset(&heard, 0, sizeof heard);
    heard.listening = listening;
}

void ear_session_stop_listening(void) {
    listen(IDLE);
}

static uint32_t result_bytes(void) {
    return EAR_RESULT_BYTES + heard.score_bytes;
}

static uint8_t *stored(uint32_t number) {
    return store + (number % (EAR_SESSION_STORE_BYTES / result_bytes())) * result_bytes();
}

static bool store_is_full(void) {
    return heard.made - heard.taken >= EAR_SESSION_STORE_BYTES / result_bytes();
}

static void send_result(uint32_t number) {
    memcpy(ear_out, stored(number), result_bytes());
    ear_session_send(EAR_MESSAGE_RESULT, EAR_OK, (uint16_t)number, result_bytes());
}

static void add_result(bool is_event) {
    const ear_event_t *const event = ear_recognizer_event();
    uint8_t *const result = stored(heard.made);
    ear_put_u32(result + EAR_RESULT_AT_NUMBER, heard.made);
    ear_put_u32(result + EAR_RESULT_AT_SAMPLE, heard.samples);
    ear_put_u16(result + EAR_RESULT_AT_LABEL, is_event ? event->label : 0u);
    result[EAR_RESULT_AT_SCORE] = (uint8_t)(is_event ? event->score : 0u);
    result[EAR_RESULT_AT_FLAGS] = (uint8_t)(is_event ? EAR_RESULT_EVENT : 0u);
    memcpy(result + EAR_RESULT_AT_SCORES, ear_model_output(), heard.score_bytes);
    send_result(heard.made++);
}

static void add_frame(void) {
    const int16_t *const features = ear_recognizer_frame();
    for (uint32_t i = 0; i < ear_recognizer_info.feature_count; i++) {
        uint8_t bytes[2];
        ear_put_u16(bytes, (uint16_t)features[i]);
        heard.features_crc = ear_crc32(heard.features_crc, bytes, sizeof bytes);
    }
    heard.frames++;
}

static void note_inference(uint32_t ticks) {
    heard.inferences++;
    heard.inference_ticks += ticks;
    ear_session.input_open = false;
    ear_session.layer_output = NULL;
    ear_session.output_valid = true;
    if (heard.listening == CLIP) {
        heard.outputs_crc =
            ear_crc32(heard.outputs_crc, ear_model_output(), ear_model_info.output.bytes);
    }
}

/* Takes samples until they, or the room for results, end. */
static ear_status_t hear(const int16_t *pcm, uint32_t count) {
    while (count > 0u && !store_is_full()) {
        uint32_t consumed = 0;
        uint32_t flags = 0;
        const uint32_t begin = ear_port_ticks();
        const ear_status_t status = ear_recognizer_push(pcm, count, &consumed, &flags);
        const uint32_t ticks = ear_port_ticks() - begin;
        if (status != EAR_OK || consumed == 0u || consumed > count) {
            heard.listening = IDLE;
            return status != EAR_OK ? status : EAR_ERROR_MODEL;
        }
        pcm += consumed;
        count -= consumed;
        heard.samples += consumed;
        if ((flags & EAR_FRAME_READY) != 0u) {
            add_frame();
        }
        if ((flags & EAR_INFERENCE_DONE) != 0u) {
            note_inference(ticks);
        } else if ((flags & EAR_EARLY_RUN) == 0u) {
            heard.frontend_ticks += ticks;
        }
        heard.had_event = heard.had_event || (flags & EAR_EVENT) != 0u;
        if (heard.listening == CLIP) {
            continue;
        }
        if ((flags & EAR_EVENT) != 0u ||
            ((flags & EAR_INFERENCE_DONE) != 0u && heard.score_bytes > 0u)) {
            add_result((flags & EAR_EVENT) != 0u);
        }
    }
    return EAR_OK;
}

static ear_status_t hear_bytes(const uint8_t *bytes, uint32_t count) {
    while (count > 0u && !store_is_full()) {
        int16_t pcm[PCM_BLOCK];
        const uint32_t block = ear_smaller(count, PCM_BLOCK);
        for (uint32_t i = 0; i < block; i++) {
            pcm[i] = (int16_t)ear_get_u16(bytes + 2u * i);
        }
        const ear_status_t status = hear(pcm, block);
        if (status != EAR_OK) {
            return status;
        }
        bytes += 2u * block;
        count -= block;
    }
    return EAR_OK;
}

static void forget_taken(uint32_t taken) {
    if (taken - heard.taken <= heard.made - heard.taken) {
        heard.taken = taken;
    }
}

ear_status_t ear_serve_audio(const uint8_t *in, size_t count, size_t *reply) {
    const uint32_t taken = ear_get_u32(in + EAR_AUDIO_AT_TAKEN);
    const uint32_t samples = (uint32_t)(count - EAR_AUDIO_BYTES) / 2u;
    /* Modulo 2^32, as a stream has no end. */
    const uint32_t known = heard.samples - ear_get_u32(in + EAR_AUDIO_AT_SAMPLE);
    if ((count - EAR_AUDIO_BYTES) % 2u != 0u) {
        return EAR_ERROR_SIZE;
    }
    if (heard.listening == IDLE || heard.microphone) {
        return EAR_ERROR_STATE;
    }
    forget_taken(taken);
    ear_status_t status = EAR_OK;
    if (known > UINT32_MAX / 2u) {
        status = EAR_ERROR_SEQUENCE;
    } else if (known < samples) {
        status = hear_bytes(in + EAR_AUDIO_AT_PCM + 2u * known, samples - known);
    }
    ear_put_u32(ear_out + EAR_AUDIO_REPLY_AT_EXPECTED, heard.samples);
    ear_put_u32(ear_out + EAR_AUDIO_REPLY_AT_RESULTS, heard.made);
    *reply = EAR_AUDIO_REPLY_BYTES;
    return status;
}

ear_status_t ear_serve_clip_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    if (ear_recognizer_info.sample_rate_hz == 0u) {
        return EAR_ERROR_UNSUPPORTED;
    }
    listen(CLIP);
    return EAR_OK;
}

static ear_status_t infer_last_window(void) {
    ear_session_forget_outputs();
    const uint32_t begin = ear_port_ticks();
    const ear_status_t status = ear_recognizer_infer();
    const uint32_t ticks = ear_port_ticks() - begin;
    if (status == EAR_OK) {
        note_inference(ticks);
    }
    return status;
}

/* Of a model without state there is one inference, and no mean of several. */
static void put_peak(void) {
    const ear_event_t *const peak = ear_recognizer_peak();
    ear_put_u32(ear_out + EAR_CLIP_END_REPLY_AT_SAMPLE, peak->sample);
    ear_put_u16(ear_out + EAR_CLIP_END_REPLY_AT_LABEL, peak->label);
    ear_out[EAR_CLIP_END_REPLY_AT_SCORE] = (uint8_t)peak->score;
    ear_out[EAR_CLIP_END_REPLY_AT_FLAGS] = heard.had_event ? EAR_RESULT_EVENT : 0u;
}

ear_status_t ear_serve_clip_end(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    if (heard.listening != CLIP) {
        return EAR_ERROR_STATE;
    }
    if (ear_get_u32(in + EAR_CLIP_END_AT_SAMPLES) != heard.samples) {
        return EAR_ERROR_SEQUENCE;
    }
    const ear_status_t status = ear_recognizer_streams() ? EAR_OK : infer_last_window();
    heard.listening = IDLE;
    if (status != EAR_OK) {
        return status;
    }
    put_peak();
    ear_put_u32(ear_out + EAR_CLIP_END_REPLY_AT_FRAMES, heard.frames);
    ear_put_u32(ear_out + EAR_CLIP_END_REPLY_AT_FEATURES_CRC, heard.features_crc);
    ear_put_u64(ear_out + EAR_CLIP_END_REPLY_AT_FRONTEND_TICKS, heard.frontend_ticks);
    ear_put_u64(ear_out + EAR_CLIP_END_REPLY_AT_INFERENCE_TICKS, heard.inference_ticks);
    ear_put_u32(ear_out + EAR_CLIP_END_REPLY_AT_INFERENCES, heard.inferences);
    ear_put_u32(ear_out + EAR_CLIP_END_REPLY_AT_OUTPUTS_CRC, heard.outputs_crc);
    const uint32_t bytes =
        ear_smaller(ear_model_info.output.bytes, EAR_SESSION_MAX_PAYLOAD - EAR_CLIP_END_REPLY_BYTES);
    memcpy(ear_out + EAR_CLIP_END_REPLY_AT_OUTPUT, ear_model_output(), bytes);
    *reply = EAR_CLIP_END_REPLY_BYTES + bytes;
    return EAR_OK;
}

ear_status_t ear_serve_stream_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    (void)reply;
    const uint32_t flags = ear_get_u16(in + EAR_STREAM_BEGIN_AT_FLAGS);
    const uint32_t most = ear_smaller(EAR_SESSION_STORE_BYTES, EAR_SESSION_MAX_PAYLOAD);
    const bool scores = (flags & EAR_STREAM_SCORES) != 0u;
    const bool microphone = (flags & EAR_STREAM_MICROPHONE) != 0u;
    if ((flags & ~(EAR_STREAM_SCORES | EAR_STREAM_MICROPHONE)) != 0u) {
        return EAR_ERROR_ARGUMENT;
    }
    if (ear_recognizer_info.sample_rate_hz == 0u || (microphone && !EAR_PORT_MICROPHONE) ||
        (scores && ear_model_info.output.bytes > most - EAR_RESULT_BYTES)) {
        return EAR_ERROR_UNSUPPORTED;
    }
    listen(STREAM);
    heard.score_bytes = scores ? ear_model_info.output.bytes : 0u;
    heard.microphone = microphone;
#if EAR_PORT_MICROPHONE
    if (microphone) {
        ear_microphone_start(ear_recognizer_info.sample_rate_hz);
        waiting.count = 0u;
    }
#endif
    return EAR_OK;
}

ear_status_t ear_serve_stream_end(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    if (heard.listening != STREAM) {
        return EAR_ERROR_STATE;
    }
    if (!heard.microphone && ear_get_u32(in + EAR_STREAM_END_AT_SAMPLES) != heard.samples) {
        return EAR_ERROR_SEQUENCE;
    }
    heard.listening = IDLE;
    ear_put_u32(ear_out + EAR_STREAM_END_REPLY_AT_FRAMES, heard.frames);
    ear_put_u32(ear_out + EAR_STREAM_END_REPLY_AT_FEATURES_CRC, heard.features_crc);
    ear_put_u64(ear_out + EAR_STREAM_END_REPLY_AT_FRONTEND_TICKS, heard.frontend_ticks);
    ear_put_u32(ear_out + EAR_STREAM_END_REPLY_AT_INFERENCES, heard.inferences);
    ear_put_u64(ear_out + EAR_STREAM_END_REPLY_AT_INFERENCE_TICKS, heard.inference_ticks);
    ear_put_u32(ear_out + EAR_STREAM_END_REPLY_AT_RESULTS, heard.made);
    *reply = EAR_STREAM_END_REPLY_BYTES;
    return EAR_OK;
}

#if EAR_PORT_MICROPHONE
void ear_session_hear_microphone(void) {
    const uint32_t made = heard.made;
    for (uint32_t block = 0; block < MICROPHONE_BLOCKS; block++) {
        if (heard.listening != STREAM || !heard.microphone || store_is_full()) {
            break;
        }
        if (waiting.count == 0u) {
            waiting.at = 0u;
            waiting.count = (uint32_t)ear_microphone_read(waiting.pcm, PCM_BLOCK);
        }
        const uint32_t before = heard.samples;
        if (waiting.count == 0u || hear(&waiting.pcm[waiting.at], waiting.count) != EAR_OK) {
            break;
        }
        waiting.at += heard.samples - before;
        waiting.count -= heard.samples - before;
    }
    if (heard.made != made) {
        ear_session.reply_bytes = 0u; /* what is in its place now is a result */
    }
}

ear_status_t ear_serve_listen(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    if (heard.listening != STREAM || !heard.microphone) {
        return EAR_ERROR_STATE;
    }
    forget_taken(ear_get_u32(in + EAR_LISTEN_AT_TAKEN));
    const ear_microphone_level_t level = ear_microphone_level();
    ear_put_u32(ear_out + EAR_LISTEN_REPLY_AT_SAMPLE, heard.samples);
    ear_put_u32(ear_out + EAR_LISTEN_REPLY_AT_RESULTS, heard.made);
    ear_put_u32(ear_out + EAR_LISTEN_REPLY_AT_LEVEL_SAMPLES, level.samples);
    ear_put_u32(ear_out + EAR_LISTEN_REPLY_AT_CLIPPED, level.clipped);
    ear_put_u32(ear_out + EAR_LISTEN_REPLY_AT_PEAK, level.peak);
    ear_put_u64(ear_out + EAR_LISTEN_REPLY_AT_SQUARES, level.squares);
    *reply = EAR_LISTEN_REPLY_BYTES;
    return EAR_OK;
}
#else
void ear_session_hear_microphone(void) {
}

ear_status_t ear_serve_listen(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    return EAR_ERROR_UNSUPPORTED;
}
#endif

ear_status_t ear_serve_resend(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    const uint32_t first = ear_get_u32(in + EAR_RESEND_AT_FIRST);
    if (heard.made - first > heard.made - heard.taken) {
        return EAR_ERROR_ARGUMENT;
    }
    for (uint32_t number = first; number != heard.made; number++) {
        send_result(number);
    }
    ear_put_u32(ear_out + EAR_RESEND_REPLY_AT_RESULTS, heard.made);
    *reply = EAR_RESEND_REPLY_BYTES;
    return EAR_OK;
}
