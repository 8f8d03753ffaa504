#include "ear_session.h"

#include <string.h>

#include "board_config.h"
#include "ear_frames.h"
#include "ear_model.h"
#include "ear_protocol.h"
#include "ear_recognizer.h"
#include "port.h"

#define POLL_BYTES 128u
#define PCM_BLOCK 64u

_Static_assert(EAR_FRAME_MAX_PAYLOAD <= EAR_FRAME_LONGEST_PAYLOAD, "frames are encoded in place");
_Static_assert(EAR_PORT_RX_BYTES >= EAR_FRAME_ENCODED_BYTES(EAR_FRAME_MAX_PAYLOAD),
               "the port must keep at least one whole frame");
_Static_assert(EAR_SESSION_STORE_BYTES >= EAR_RESULT_BYTES, "the store must hold a result");

typedef enum { IDLE, CLIP, STREAM } listening_t;

static struct {
    ear_decoder_t decoder;

    /* The last reply, as sent, in `tx`: to be sent again when its request comes again. */
    size_t reply_bytes;
    uint16_t reply_sequence;
    uint8_t reply_type;

    /* The model's ends. */
    bool input_open; /* begun, and not used up by an inference */
    uint32_t input_written;
    bool output_valid;
    const void *layer_output; /* NULL: none */
    uint32_t layer_bytes;

    /* The clip or the stream. */
    listening_t listening;
    uint32_t samples;
    uint32_t frames;
    uint32_t inferences;
    uint32_t features_crc;
    uint64_t frontend_ticks;
    uint64_t inference_ticks;

    /* Results of the stream: those from number `taken` up to `made` are in the store. */
    uint32_t made;
    uint32_t taken;
    uint32_t score_bytes; /* in each; 0: results for events alone */
} session;

static uint8_t rx[EAR_FRAME_RAW_BYTES(EAR_FRAME_MAX_PAYLOAD)];
static uint8_t tx[EAR_FRAME_ENCODED_BYTES(EAR_FRAME_MAX_PAYLOAD)];
static uint8_t store[EAR_SESSION_STORE_BYTES];

/* The payload of the frame to be sent. RESULTs are built here too: a handler that sends any writes
 * its reply after them. */
static uint8_t *const out = tx + EAR_FRAME_HEADROOM + EAR_FRAME_HEADER_BYTES;

static uint32_t get_u16(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get_u32(const uint8_t *at) {
    return get_u16(at) | get_u16(at + 2) << 16;
}

static void put_u16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *at, uint32_t value) {
    put_u16(at, value);
    put_u16(at + 2, value >> 16);
}

static void put_u64(uint8_t *at, uint64_t value) {
    put_u32(at, (uint32_t)value);
    put_u32(at + 4, (uint32_t)(value >> 32));
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void send_frame(uint8_t type, ear_status_t status, uint16_t sequence, size_t payload_bytes) {
    uint8_t *const header = tx + EAR_FRAME_HEADROOM;
    header[EAR_FRAME_AT_TYPE] = type;
    header[EAR_FRAME_AT_STATUS] = (uint8_t)(int8_t)status;
    put_u16(header + EAR_FRAME_AT_SEQUENCE, sequence);
    session.reply_bytes = ear_frame_encode(tx, payload_bytes);
    ear_port_write(tx, session.reply_bytes);
}

/* --- Who answers ------------------------------------------------------------------------------ */

static void forget_outputs(void) {
    session.output_valid = false;
    session.layer_output = NULL;
}

static void listen_anew(listening_t listening) {
    if (ear_recognizer_info.sample_rate_hz != 0u) {
        ear_recognizer_reset(listening == STREAM ? EAR_MODE_STREAM : EAR_MODE_CLIP);
    }
    session.listening = listening;
    session.samples = 0;
    session.frames = 0;
    session.inferences = 0;
    session.features_crc = 0;
    session.frontend_ticks = 0;
    session.inference_ticks = 0;
    session.made = 0;
    session.taken = 0;
    session.score_bytes = 0;
}

static const char *text(uint32_t index) {
    switch (index) {
    case 0: return EAR_BOARD_NAME;
    case 1: return ear_model_info.engine;
    case 2: return ear_model_info.name;
    default: return ear_model_info.labels[index - 3u];
    }
}

/* Copies what lies in [offset, offset + count) of all texts, each with its NUL; returns the length
 * of them all. */
static uint32_t copy_text(uint8_t *to, uint32_t offset, uint32_t count) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < ear_model_info.label_count + 3u; i++) {
        const char *c = text(i);
        do {
            if (at >= offset && at - offset < count) {
                to[at - offset] = (uint8_t)*c;
            }
            at++;
        } while (*c++ != '\0');
    }
    return at;
}

static ear_status_t serve_hello(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    listen_anew(IDLE);
    session.input_open = false;
    forget_outputs();
    put_u16(out + EAR_HELLO_REPLY_AT_PROTOCOL_VERSION, EAR_PROTOCOL_VERSION);
    put_u16(out + EAR_HELLO_REPLY_AT_RUNTIME_VERSION, EAR_RUNTIME_VERSION);
    memcpy(out + EAR_HELLO_REPLY_AT_MODEL_HASH, ear_model_info.hash, sizeof ear_model_info.hash);
    put_u32(out + EAR_HELLO_REPLY_AT_SAMPLE_RATE_HZ, ear_recognizer_info.sample_rate_hz);
    put_u32(out + EAR_HELLO_REPLY_AT_CLIP_SAMPLES, ear_recognizer_info.clip_samples);
    put_u16(out + EAR_HELLO_REPLY_AT_FRAMES, ear_recognizer_info.frames);
    put_u16(out + EAR_HELLO_REPLY_AT_FEATURE_COUNT, ear_recognizer_info.feature_count);
    put_u32(out + EAR_HELLO_REPLY_AT_INPUT_BYTES, ear_model_info.input.bytes);
    put_u32(out + EAR_HELLO_REPLY_AT_OUTPUT_BYTES, ear_model_info.output.bytes);
    out[EAR_HELLO_REPLY_AT_INPUT_TYPE] = (uint8_t)ear_model_info.input.type;
    out[EAR_HELLO_REPLY_AT_OUTPUT_TYPE] = (uint8_t)ear_model_info.output.type;
    put_u16(out + EAR_HELLO_REPLY_AT_LABEL_COUNT, ear_model_info.label_count);
    put_u16(out + EAR_HELLO_REPLY_AT_LAYER_COUNT, ear_model_info.layer_count);
    put_u32(out + EAR_HELLO_REPLY_AT_TICKS_HZ, EAR_PORT_TICKS_HZ);
    put_u32(out + EAR_HELLO_REPLY_AT_RX_WINDOW_BYTES, EAR_PORT_RX_BYTES);
    put_u32(out + EAR_HELLO_REPLY_AT_ARENA_BYTES, ear_model_info.arena_bytes);
    put_u32(out + EAR_HELLO_REPLY_AT_TEXT_BYTES, copy_text(NULL, 0, 0));
    put_u32(out + EAR_HELLO_REPLY_AT_DROPPED_FRAMES, session.decoder.dropped);
    *reply = EAR_HELLO_REPLY_BYTES;
    const bool same = get_u16(in + EAR_HELLO_AT_PROTOCOL_VERSION) == EAR_PROTOCOL_VERSION;
    return same ? EAR_OK : EAR_ERROR_VERSION;
}

/* --- The model alone -------------------------------------------------------------------------- */

static ear_status_t serve_input_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    session.input_open = true;
    session.input_written = 0;
    forget_outputs();
    return EAR_OK;
}

static ear_status_t serve_write(const uint8_t *in, size_t count, size_t *reply) {
    const uint32_t offset = get_u32(in + EAR_WRITE_AT_OFFSET);
    const uint32_t bytes = (uint32_t)(count - EAR_WRITE_BYTES);
    if (!session.input_open) {
        return EAR_ERROR_STATE;
    }
    if (offset > ear_model_info.input.bytes || bytes > ear_model_info.input.bytes - offset) {
        return EAR_ERROR_ARGUMENT;
    }
    if (offset <= session.input_written && offset + bytes > session.input_written) {
        const uint32_t known = session.input_written - offset;
        memcpy((uint8_t *)ear_model_input() + session.input_written,
               in + EAR_WRITE_AT_DATA + known, bytes - known);
        session.input_written = offset + bytes;
    }
    put_u32(out + EAR_WRITE_REPLY_AT_EXPECTED, session.input_written);
    *reply = EAR_WRITE_REPLY_BYTES;
    return offset > session.input_written ? EAR_ERROR_SEQUENCE : EAR_OK;
}

static bool stop_after(void *user, uint32_t layer, const void *output) {
    if (layer != *(const uint32_t *)user) {
        return false;
    }
    session.layer_output = output;
    session.layer_bytes = ear_model_info.layers[layer].bytes;
    return true;
}

static bool use_input(void) {
    const bool whole =
        session.input_open && session.input_written == ear_model_info.input.bytes;
    if (whole) {
        session.input_open = false;
        forget_outputs();
    }
    return whole;
}

static ear_status_t serve_invoke(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    uint32_t layer = get_u16(in + EAR_INVOKE_AT_LAYER);
    if (layer >= ear_model_info.layer_count && layer != EAR_ALL_LAYERS) {
        return EAR_ERROR_ARGUMENT;
    }
    if (!use_input()) {
        return EAR_ERROR_STATE;
    }
    const ear_observer_t observer = {.after_layer = stop_after, .user = &layer};
    const uint32_t begin = ear_port_ticks();
    const ear_status_t status = ear_model_invoke(layer == EAR_ALL_LAYERS ? NULL : &observer);
    put_u32(out + EAR_INVOKE_REPLY_AT_TICKS, ear_port_ticks() - begin);
    *reply = EAR_INVOKE_REPLY_BYTES;
    session.output_valid = status == EAR_OK && layer == EAR_ALL_LAYERS;
    return status;
}

typedef struct {
    uint32_t first;
    uint32_t since;
    size_t bytes; /* of the reply so far */
} profile_t;

static bool time_layer(void *user, uint32_t layer, const void *output) {
    (void)output;
    profile_t *const profile = user;
    const uint32_t ticks = ear_port_ticks() - profile->since;
    if (layer >= profile->first && profile->bytes + 4u <= EAR_FRAME_MAX_PAYLOAD) {
        put_u32(out + profile->bytes, ticks);
        profile->bytes += 4u;
    }
    profile->since = ear_port_ticks();
    return false;
}

static ear_status_t serve_profile(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    profile_t profile = {.first = get_u16(in + EAR_PROFILE_AT_FIRST),
                         .bytes = EAR_PROFILE_REPLY_AT_TICKS};
    if (!use_input()) {
        return EAR_ERROR_STATE;
    }
    const ear_observer_t observer = {.after_layer = time_layer, .user = &profile};
    const uint32_t begin = ear_port_ticks();
    profile.since = begin;
    const ear_status_t status = ear_model_invoke(&observer);
    put_u32(out + EAR_PROFILE_REPLY_AT_TOTAL, ear_port_ticks() - begin);
    *reply = profile.bytes;
    session.output_valid = status == EAR_OK;
    return status;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The window is copied to the model's input, which it fits: no memory of its own is needed. */
static ear_status_t show_window(const void **from, uint32_t *total) {
    *total = ear_recognizer_info.frames * ear_recognizer_info.feature_count;
    *from = ear_model_input();
    if (*total == 0u || *total != ear_model_info.input.bytes ||
        ear_model_info.input.type != EAR_TYPE_INT8) {
        return EAR_ERROR_UNSUPPORTED;
    }
    ear_recognizer_window(ear_model_input());
    session.input_open = true;
    session.input_written = *total;
    forget_outputs();
    return EAR_OK;
}

static ear_status_t find_bytes(uint32_t what, const void **from, uint32_t *total) {
    switch (what) {
    case EAR_WHAT_OUTPUT:
        *from = ear_model_output();
        *total = ear_model_info.output.bytes;
        return session.output_valid ? EAR_OK : EAR_ERROR_STATE;
    case EAR_WHAT_LAYER:
        *from = session.layer_output;
        *total = session.layer_bytes;
        return session.layer_output != NULL ? EAR_OK : EAR_ERROR_STATE;
    case EAR_WHAT_WINDOW:
        return show_window(from, total);
    case EAR_WHAT_TEXT:
        *from = NULL;
        *total = copy_text(NULL, 0, 0);
        return EAR_OK;
    default:
        return EAR_ERROR_ARGUMENT;
    }
}

static ear_status_t serve_read(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    const uint32_t offset = get_u32(in + EAR_READ_AT_OFFSET);
    const void *from = NULL;
    uint32_t total = 0;
    const ear_status_t status = find_bytes(get_u16(in + EAR_READ_AT_WHAT), &from, &total);
    if (status != EAR_OK) {
        return status;
    }
    if (offset > total) {
        return EAR_ERROR_ARGUMENT;
    }
    uint32_t bytes = smaller(get_u16(in + EAR_READ_AT_COUNT), total - offset);
    bytes = smaller(bytes, EAR_FRAME_MAX_PAYLOAD - EAR_READ_REPLY_BYTES);
    if (from == NULL) {
        (void)copy_text(out + EAR_READ_REPLY_AT_DATA, offset, bytes);
    } else {
        memcpy(out + EAR_READ_REPLY_AT_DATA, (const uint8_t *)from + offset, bytes);
    }
    put_u32(out + EAR_READ_REPLY_AT_TOTAL, total);
    *reply = EAR_READ_REPLY_BYTES + bytes;
    return EAR_OK;
}

/* --- Listening -------------------------------------------------------------------------------- */

static uint32_t result_bytes(void) {
    return EAR_RESULT_BYTES + session.score_bytes;
}

static uint8_t *stored(uint32_t number) {
    return store + (number % (EAR_SESSION_STORE_BYTES / result_bytes())) * result_bytes();
}

static bool store_is_full(void) {
    return session.made - session.taken >= EAR_SESSION_STORE_BYTES / result_bytes();
}

static void send_result(uint32_t number) {
    memcpy(out, stored(number), result_bytes());
    send_frame(EAR_MESSAGE_RESULT, EAR_OK, (uint16_t)number, result_bytes());
}

static void add_result(bool is_event) {
    const ear_event_t *const event = ear_recognizer_event();
    uint8_t *const result = stored(session.made);
    put_u32(result + EAR_RESULT_AT_NUMBER, session.made);
    put_u32(result + EAR_RESULT_AT_SAMPLE, session.samples);
    put_u16(result + EAR_RESULT_AT_LABEL, is_event ? event->label : 0u);
    result[EAR_RESULT_AT_SCORE] = (uint8_t)(is_event ? event->score : 0u);
    result[EAR_RESULT_AT_FLAGS] = (uint8_t)(is_event ? EAR_RESULT_EVENT : 0u);
    memcpy(result + EAR_RESULT_AT_SCORES, ear_model_output(), session.score_bytes);
    send_result(session.made++);
}

static void add_frame(void) {
    const int16_t *const features = ear_recognizer_frame();
    for (uint32_t i = 0; i < ear_recognizer_info.feature_count; i++) {
        uint8_t bytes[2];
        put_u16(bytes, (uint16_t)features[i]);
        session.features_crc = ear_crc32(session.features_crc, bytes, sizeof bytes);
    }
    session.frames++;
}

static void note_inference(uint32_t ticks) {
    session.inferences++;
    session.inference_ticks += ticks;
    session.input_open = false;
    session.layer_output = NULL;
    session.output_valid = true;
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
            session.listening = IDLE;
            return status != EAR_OK ? status : EAR_ERROR_MODEL;
        }
        pcm += consumed;
        count -= consumed;
        session.samples += consumed;
        if ((flags & EAR_FRAME_READY) != 0u) {
            add_frame();
        }
        if ((flags & EAR_INFERENCE_DONE) != 0u) {
            note_inference(ticks);
        } else {
            session.frontend_ticks += ticks;
        }
        if ((flags & EAR_EVENT) != 0u ||
            ((flags & EAR_INFERENCE_DONE) != 0u && session.score_bytes > 0u)) {
            add_result((flags & EAR_EVENT) != 0u);
        }
    }
    return EAR_OK;
}

static ear_status_t hear_bytes(const uint8_t *bytes, uint32_t count) {
    while (count > 0u && !store_is_full()) {
        int16_t pcm[PCM_BLOCK];
        const uint32_t block = smaller(count, PCM_BLOCK);
        for (uint32_t i = 0; i < block; i++) {
            pcm[i] = (int16_t)get_u16(bytes + 2u * i);
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

static ear_status_t serve_audio(const uint8_t *in, size_t count, size_t *reply) {
    const uint32_t taken = get_u32(in + EAR_AUDIO_AT_TAKEN);
    const uint32_t samples = (uint32_t)(count - EAR_AUDIO_BYTES) / 2u;
    /* Modulo 2^32, as a stream has no end. */
    const uint32_t known = session.samples - get_u32(in + EAR_AUDIO_AT_SAMPLE);
    if ((count - EAR_AUDIO_BYTES) % 2u != 0u) {
        return EAR_ERROR_SIZE;
    }
    if (session.listening == IDLE) {
        return EAR_ERROR_STATE;
    }
    if (taken - session.taken <= session.made - session.taken) {
        session.taken = taken;
    }
    ear_status_t status = EAR_OK;
    if (known > UINT32_MAX / 2u) {
        status = EAR_ERROR_SEQUENCE;
    } else if (known < samples) {
        status = hear_bytes(in + EAR_AUDIO_AT_PCM + 2u * known, samples - known);
    }
    put_u32(out + EAR_AUDIO_REPLY_AT_EXPECTED, session.samples);
    put_u32(out + EAR_AUDIO_REPLY_AT_RESULTS, session.made);
    *reply = EAR_AUDIO_REPLY_BYTES;
    return status;
}

static ear_status_t serve_clip_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    if (ear_recognizer_info.sample_rate_hz == 0u) {
        return EAR_ERROR_UNSUPPORTED;
    }
    listen_anew(CLIP);
    return EAR_OK;
}

static ear_status_t serve_clip_end(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    if (session.listening != CLIP) {
        return EAR_ERROR_STATE;
    }
    if (get_u32(in + EAR_CLIP_END_AT_SAMPLES) != session.samples) {
        return EAR_ERROR_SEQUENCE;
    }
    session.listening = IDLE;
    forget_outputs();
    const uint32_t begin = ear_port_ticks();
    const ear_status_t status = ear_recognizer_infer();
    const uint32_t ticks = ear_port_ticks() - begin;
    if (status != EAR_OK) {
        return status;
    }
    note_inference(ticks);
    put_u32(out + EAR_CLIP_END_REPLY_AT_FRAMES, session.frames);
    put_u32(out + EAR_CLIP_END_REPLY_AT_FEATURES_CRC, session.features_crc);
    put_u64(out + EAR_CLIP_END_REPLY_AT_FRONTEND_TICKS, session.frontend_ticks);
    put_u32(out + EAR_CLIP_END_REPLY_AT_INFERENCE_TICKS, ticks);
    const uint32_t bytes =
        smaller(ear_model_info.output.bytes, EAR_FRAME_MAX_PAYLOAD - EAR_CLIP_END_REPLY_BYTES);
    memcpy(out + EAR_CLIP_END_REPLY_AT_OUTPUT, ear_model_output(), bytes);
    *reply = EAR_CLIP_END_REPLY_BYTES + bytes;
    return EAR_OK;
}

static ear_status_t serve_stream_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    (void)reply;
    const uint32_t flags = get_u16(in + EAR_STREAM_BEGIN_AT_FLAGS);
    const uint32_t most = smaller(EAR_SESSION_STORE_BYTES, EAR_FRAME_MAX_PAYLOAD);
    if ((flags & ~EAR_STREAM_SCORES) != 0u) {
        return EAR_ERROR_ARGUMENT;
    }
    if (ear_recognizer_info.sample_rate_hz == 0u ||
        (flags != 0u && ear_model_info.output.bytes > most - EAR_RESULT_BYTES)) {
        return EAR_ERROR_UNSUPPORTED;
    }
    listen_anew(STREAM);
    session.score_bytes = flags != 0u ? ear_model_info.output.bytes : 0u;
    return EAR_OK;
}

static ear_status_t serve_stream_end(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    if (session.listening != STREAM) {
        return EAR_ERROR_STATE;
    }
    if (get_u32(in + EAR_STREAM_END_AT_SAMPLES) != session.samples) {
        return EAR_ERROR_SEQUENCE;
    }
    session.listening = IDLE;
    put_u32(out + EAR_STREAM_END_REPLY_AT_FRAMES, session.frames);
    put_u32(out + EAR_STREAM_END_REPLY_AT_FEATURES_CRC, session.features_crc);
    put_u64(out + EAR_STREAM_END_REPLY_AT_FRONTEND_TICKS, session.frontend_ticks);
    put_u32(out + EAR_STREAM_END_REPLY_AT_INFERENCES, session.inferences);
    put_u64(out + EAR_STREAM_END_REPLY_AT_INFERENCE_TICKS, session.inference_ticks);
    put_u32(out + EAR_STREAM_END_REPLY_AT_RESULTS, session.made);
    *reply = EAR_STREAM_END_REPLY_BYTES;
    return EAR_OK;
}

static ear_status_t serve_resend(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    const uint32_t first = get_u32(in + EAR_RESEND_AT_FIRST);
    if (session.made - first > session.made - session.taken) {
        return EAR_ERROR_ARGUMENT;
    }
    for (uint32_t number = first; number != session.made; number++) {
        send_result(number);
    }
    put_u32(out + EAR_RESEND_REPLY_AT_RESULTS, session.made);
    *reply = EAR_RESEND_REPLY_BYTES;
    return EAR_OK;
}

/* --- Requests --------------------------------------------------------------------------------- */

/* A handler reads its request at `in`, `count` bytes, and writes its reply's payload to `out` and
 * the size of it to *reply, which is 0 before. */
typedef struct {
    uint8_t type;
    uint8_t bytes; /* of the fixed part */
    bool open;     /* more may follow */
    ear_status_t (*serve)(const uint8_t *in, size_t count, size_t *reply);
} request_t;

static const request_t requests[] = {
    {EAR_MESSAGE_HELLO, EAR_HELLO_BYTES, true, serve_hello},
    {EAR_MESSAGE_INPUT_BEGIN, EAR_INPUT_BEGIN_BYTES, false, serve_input_begin},
    {EAR_MESSAGE_WRITE, EAR_WRITE_BYTES, true, serve_write},
    {EAR_MESSAGE_INVOKE, EAR_INVOKE_BYTES, false, serve_invoke},
    {EAR_MESSAGE_READ, EAR_READ_BYTES, false, serve_read},
    {EAR_MESSAGE_PROFILE, EAR_PROFILE_BYTES, false, serve_profile},
    {EAR_MESSAGE_CLIP_BEGIN, EAR_CLIP_BEGIN_BYTES, false, serve_clip_begin},
    {EAR_MESSAGE_CLIP_END, EAR_CLIP_END_BYTES, false, serve_clip_end},
    {EAR_MESSAGE_STREAM_BEGIN, EAR_STREAM_BEGIN_BYTES, false, serve_stream_begin},
    {EAR_MESSAGE_STREAM_END, EAR_STREAM_END_BYTES, false, serve_stream_end},
    {EAR_MESSAGE_AUDIO, EAR_AUDIO_BYTES, true, serve_audio},
    {EAR_MESSAGE_RESEND, EAR_RESEND_BYTES, false, serve_resend},
};

static ear_status_t carry_out(uint8_t type, size_t count, size_t *reply) {
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const request_t *const request = &requests[i];
        if (request->type != type) {
            continue;
        }
        if (count < request->bytes || (count > request->bytes && !request->open)) {
            return EAR_ERROR_SIZE;
        }
        return request->serve(rx + EAR_FRAME_HEADER_BYTES, count, reply);
    }
    return EAR_ERROR_UNKNOWN;
}

static void answer(size_t payload_bytes) {
    const uint8_t type = rx[EAR_FRAME_AT_TYPE];
    const uint16_t sequence = (uint16_t)get_u16(rx + EAR_FRAME_AT_SEQUENCE);
    if ((type & EAR_MESSAGE_REPLY) != 0u) {
        return; /* an echo of what was sent */
    }
    if (session.reply_bytes > 0u && type == session.reply_type &&
        sequence == session.reply_sequence) {
        ear_port_write(tx, session.reply_bytes);
        return;
    }
    size_t reply = 0;
    const ear_status_t status = carry_out(type, payload_bytes, &reply);
    session.reply_type = type;
    session.reply_sequence = sequence;
    send_frame((uint8_t)(type | EAR_MESSAGE_REPLY), status, sequence, reply);
}

void ear_session_init(void) {
    memset(&session, 0, sizeof session);
    ear_decoder_init(&session.decoder, rx, sizeof rx);
    listen_anew(IDLE);
}

void ear_session_poll(void) {
    uint8_t bytes[POLL_BYTES];
    const size_t count = ear_port_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        size_t payload_bytes = 0;
        if (ear_decoder_push(&session.decoder, bytes[i], &payload_bytes)) {
            answer(payload_bytes);
        }
    }
}
