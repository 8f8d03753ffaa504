#include "ear_session_parts.h"

#include <string.h>

#include "board_config.h"
#include "ear_model.h"
#include "ear_recognizer.h"
#include "port.h"

#define POLL_BYTES 32u

_Static_assert(EAR_FRAME_MAX_PAYLOAD <= EAR_FRAME_LONGEST_PAYLOAD, "frames are encoded in place");
_Static_assert(EAR_PORT_RX_BYTES >= EAR_FRAME_ENCODED_BYTES(EAR_HELLO_REPLY_BYTES),
               "the port must keep at least one whole frame");

ear_session_state_t ear_session;

static uint8_t rx[EAR_FRAME_RAW_BYTES(EAR_SESSION_MAX_PAYLOAD)];
static uint8_t tx[EAR_FRAME_ENCODED_BYTES(EAR_SESSION_MAX_PAYLOAD)];

uint8_t *const ear_out = tx + EAR_FRAME_HEADROOM + EAR_FRAME_HEADER_BYTES;

void ear_session_send(uint8_t type, ear_status_t status, uint16_t sequence, size_t payload_bytes) {
    uint8_t *const header = tx + EAR_FRAME_HEADROOM;
    header[EAR_FRAME_AT_TYPE] = type;
    header[EAR_FRAME_AT_STATUS] = (uint8_t)(int8_t)status;
    ear_put_u16(header + EAR_FRAME_AT_SEQUENCE, sequence);
    ear_session.reply_bytes = ear_frame_encode(tx, payload_bytes);
    ear_port_write(tx, ear_session.reply_bytes);
}

void ear_session_forget_outputs(void) {
    ear_session.output_valid = false;
    ear_session.layer_output = NULL;
}

static const char *text(uint32_t index) {
    switch (index) {
    case 0: return EAR_BOARD_NAME;
    case 1: return ear_model_info.engine;
    case 2: return ear_model_info.name;
    default: return ear_model_info.labels[index - 3u];
    }
}

uint32_t ear_session_text(uint8_t *to, uint32_t offset, uint32_t count) {
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

/* Forget what was under way, and the model's state. */
static void start_afresh(void) {
    ear_session_stop_listening();
    ear_session.input_open = false;
    ear_session_forget_outputs();
}

static ear_status_t serve_reset(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    start_afresh();
    return EAR_OK;
}

static ear_status_t serve_hello(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    start_afresh();
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_PROTOCOL_VERSION, EAR_PROTOCOL_VERSION);
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_RUNTIME_VERSION, EAR_RUNTIME_VERSION);
    memcpy(ear_out + EAR_HELLO_REPLY_AT_MODEL_HASH, ear_model_info.hash,
           sizeof ear_model_info.hash);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_SAMPLE_RATE_HZ, ear_recognizer_info.sample_rate_hz);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_CLIP_SAMPLES, ear_recognizer_info.clip_samples);
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_FRAMES, ear_recognizer_info.frames);
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_FEATURE_COUNT, ear_recognizer_info.feature_count);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_INPUT_BYTES, ear_model_info.input.bytes);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_OUTPUT_BYTES, ear_model_info.output.bytes);
    ear_out[EAR_HELLO_REPLY_AT_INPUT_TYPE] = (uint8_t)ear_model_info.input.type;
    ear_out[EAR_HELLO_REPLY_AT_OUTPUT_TYPE] = (uint8_t)ear_model_info.output.type;
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_LABEL_COUNT, ear_model_info.label_count);
    ear_put_u16(ear_out + EAR_HELLO_REPLY_AT_LAYER_COUNT, ear_model_info.layer_count);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_TICKS_HZ, EAR_PORT_TICKS_HZ);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_RX_WINDOW_BYTES, EAR_PORT_RX_BYTES);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_ARENA_BYTES, ear_model_info.arena_bytes);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_TEXT_BYTES, ear_session_text(NULL, 0, 0));
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_DROPPED_FRAMES, ear_session.decoder.dropped);
    ear_put_u32(ear_out + EAR_HELLO_REPLY_AT_STATE_BYTES, ear_model_info.state_bytes);
    *reply = EAR_HELLO_REPLY_BYTES;
    const bool same = ear_get_u16(in + EAR_HELLO_AT_PROTOCOL_VERSION) == EAR_PROTOCOL_VERSION;
    return same ? EAR_OK : EAR_ERROR_VERSION;
}

typedef struct {
    uint8_t type;
    uint8_t bytes; /* of the fixed part */
    bool open;     /* more may follow */
    ear_handler_t *serve;
} request_t;

static const request_t requests[] = {
    {EAR_MESSAGE_HELLO, EAR_HELLO_BYTES, true, serve_hello},
    {EAR_MESSAGE_INPUT_BEGIN, EAR_INPUT_BEGIN_BYTES, false, ear_serve_input_begin},
    {EAR_MESSAGE_WRITE, EAR_WRITE_BYTES, true, ear_serve_write},
    {EAR_MESSAGE_INVOKE, EAR_INVOKE_BYTES, false, ear_serve_invoke},
    {EAR_MESSAGE_READ, EAR_READ_BYTES, false, ear_serve_read},
    {EAR_MESSAGE_PROFILE, EAR_PROFILE_BYTES, false, ear_serve_profile},
    {EAR_MESSAGE_CLIP_BEGIN, EAR_CLIP_BEGIN_BYTES, false, ear_serve_clip_begin},
    {EAR_MESSAGE_CLIP_END, EAR_CLIP_END_BYTES, false, ear_serve_clip_end},
    {EAR_MESSAGE_STREAM_BEGIN, EAR_STREAM_BEGIN_BYTES, false, ear_serve_stream_begin},
    {EAR_MESSAGE_STREAM_END, EAR_STREAM_END_BYTES, false, ear_serve_stream_end},
    {EAR_MESSAGE_AUDIO, EAR_AUDIO_BYTES, true, ear_serve_audio},
    {EAR_MESSAGE_LISTEN, EAR_LISTEN_BYTES, false, ear_serve_listen},
    {EAR_MESSAGE_RESEND, EAR_RESEND_BYTES, false, ear_serve_resend},
    {EAR_MESSAGE_RESET, EAR_RESET_BYTES, false, serve_reset},
    {EAR_MESSAGE_DIGEST, EAR_DIGEST_BYTES, false, ear_serve_digest},
#ifdef EAR_SELF_TEST_RAM_BYTES
    {EAR_MESSAGE_SELF_TEST, EAR_SELF_TEST_BYTES, true, ear_serve_self_test},
#endif
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
    const uint16_t sequence = (uint16_t)ear_get_u16(rx + EAR_FRAME_AT_SEQUENCE);
    if ((type & EAR_MESSAGE_REPLY) != 0u) {
        return; /* an echo of what was sent */
    }
    if (ear_session.reply_bytes > 0u && type == ear_session.reply_type &&
        sequence == ear_session.reply_sequence) {
        ear_port_write(tx, ear_session.reply_bytes);
        return;
    }
    size_t reply = 0;
    const ear_status_t status = carry_out(type, payload_bytes, &reply);
    ear_session.reply_type = type;
    ear_session.reply_sequence = sequence;
    ear_session_send((uint8_t)(type | EAR_MESSAGE_REPLY), status, sequence, reply);
}

void ear_session_init(void) {
    memset(&ear_session, 0, sizeof ear_session);
    ear_decoder_init(&ear_session.decoder, rx, sizeof rx);
    ear_session_stop_listening();
}

void ear_session_poll(void) {
    uint8_t bytes[POLL_BYTES];
    const size_t count = ear_port_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        size_t payload_bytes = 0;
        if (ear_decoder_push(&ear_session.decoder, bytes[i], &payload_bytes)) {
            answer(payload_bytes);
        }
    }
    ear_session_hear_microphone();
}
