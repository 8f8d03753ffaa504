/* What the parts of the session share; nobody else includes it.
 *
 * ear_session.c takes frames and answers them, ear_session_model.c serves the model alone,
 * ear_session_proof.c the self-test, ear_session_audio.c clips and streams; ear_session_audio_none.c,
 * where there is no front end, refuses these.
 */
#ifndef EAR_SESSION_PARTS_H
#define EAR_SESSION_PARTS_H

#include "board_config.h"
#include "ear_frames.h"
#include "ear_protocol.h"
#include "ear_session.h"

/* The longest payload: the protocol's, or what fits the bytes that the port keeps. */
#if EAR_PORT_RX_BYTES < EAR_FRAME_ENCODED_BYTES(EAR_FRAME_MAX_PAYLOAD)
#define EAR_SESSION_MAX_PAYLOAD (EAR_PORT_RX_BYTES - EAR_FRAME_ENCODED_BYTES(0u))
#else
#define EAR_SESSION_MAX_PAYLOAD EAR_FRAME_MAX_PAYLOAD
#endif

typedef struct {
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
} ear_session_state_t;

extern ear_session_state_t ear_session;

/* The payload of the frame to be sent: EAR_SESSION_MAX_PAYLOAD bytes. RESULTs are built here too: a
 * handler that sends any writes its reply after them. */
extern uint8_t *const ear_out;

/* Send the first bytes of ear_out as a frame. */
void ear_session_send(uint8_t type, ear_status_t status, uint16_t sequence, size_t payload_bytes);

/* The outputs of the model are no longer what an inference left. */
void ear_session_forget_outputs(void);

/* Forget what was heard, and the model's state, and listen no more. */
void ear_session_stop_listening(void);

/* Hear what the microphone has, where a stream of it is under way. */
void ear_session_hear_microphone(void);

/* Copy what lies in [offset, offset + count) of all texts, each with its NUL; return the length of
 * them all. */
uint32_t ear_session_text(uint8_t *to, uint32_t offset, uint32_t count);

/* A handler reads its request at `in`, `count` bytes, writes its reply's payload to
 * ear_out, and the size of it to *reply, which is 0 before. */
typedef ear_status_t ear_handler_t(const uint8_t *in, size_t count, size_t *reply);

ear_handler_t ear_serve_input_begin, ear_serve_write, ear_serve_invoke, ear_serve_profile,
    ear_serve_digest, ear_serve_read, ear_serve_clip_begin, ear_serve_clip_end, ear_serve_stream_begin,
    ear_serve_stream_end, ear_serve_audio, ear_serve_listen, ear_serve_resend,
    ear_serve_self_test;

static inline uint32_t ear_get_u16(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t ear_get_u32(const uint8_t *at) {
    return ear_get_u16(at) | ear_get_u16(at + 2) << 16;
}

static inline void ear_put_u16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void ear_put_u32(uint8_t *at, uint32_t value) {
    ear_put_u16(at, value);
    ear_put_u16(at + 2, value >> 16);
}

static inline void ear_put_u64(uint8_t *at, uint64_t value) {
    ear_put_u32(at, (uint32_t)value);
    ear_put_u32(at + 4, (uint32_t)(value >> 32));
}

static inline uint32_t ear_smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

#endif
