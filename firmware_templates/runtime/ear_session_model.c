#include "ear_session_parts.h"

#include <string.h>

#include "ear_model.h"
#include "ear_protocol.h"
#include "ear_recognizer.h"
#include "port.h"

ear_status_t ear_serve_input_begin(const uint8_t *in, size_t count, size_t *reply) {
    (void)in;
    (void)count;
    (void)reply;
    ear_session.input_open = true;
    ear_session.input_written = 0;
    ear_session_forget_outputs();
    return EAR_OK;
}

ear_status_t ear_serve_write(const uint8_t *in, size_t count, size_t *reply) {
    const uint32_t offset = ear_get_u32(in + EAR_WRITE_AT_OFFSET);
    const uint32_t bytes = (uint32_t)(count - EAR_WRITE_BYTES);
    if (!ear_session.input_open) {
        return EAR_ERROR_STATE;
    }
    if (offset > ear_model_info.input.bytes || bytes > ear_model_info.input.bytes - offset) {
        return EAR_ERROR_ARGUMENT;
    }
    if (offset <= ear_session.input_written && offset + bytes > ear_session.input_written) {
        const uint32_t known = ear_session.input_written - offset;
        memcpy((uint8_t *)ear_model_input() + ear_session.input_written,
               in + EAR_WRITE_AT_DATA + known, bytes - known);
        ear_session.input_written = offset + bytes;
    }
    ear_put_u32(ear_out + EAR_WRITE_REPLY_AT_EXPECTED, ear_session.input_written);
    *reply = EAR_WRITE_REPLY_BYTES;
    return offset > ear_session.input_written ? EAR_ERROR_SEQUENCE : EAR_OK;
}

static bool stop_after(void *user, uint32_t layer, const void *output) {
    if (layer != *(const uint32_t *)user) {
        return false;
    }
    ear_session.layer_output = output;
    ear_session.layer_bytes = ear_model_info.layers[layer].bytes;
    return true;
}

static bool use_input(void) {
    const bool whole =
        ear_session.input_open && ear_session.input_written == ear_model_info.input.bytes;
    if (whole) {
        ear_session.input_open = false;
        ear_session_forget_outputs();
    }
    return whole;
}

ear_status_t ear_serve_invoke(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    uint32_t layer = ear_get_u16(in + EAR_INVOKE_AT_LAYER);
    if (layer >= ear_model_info.layer_count && layer != EAR_ALL_LAYERS) {
        return EAR_ERROR_ARGUMENT;
    }
    if (!use_input()) {
        return EAR_ERROR_STATE;
    }
    const ear_observer_t observer = {.after_layer = stop_after, .user = &layer};
    const uint32_t begin = ear_port_ticks();
    const ear_status_t status = ear_model_invoke(layer == EAR_ALL_LAYERS ? NULL : &observer);
    ear_put_u32(ear_out + EAR_INVOKE_REPLY_AT_TICKS, ear_port_ticks() - begin);
    *reply = EAR_INVOKE_REPLY_BYTES;
    ear_session.output_valid = status == EAR_OK && layer == EAR_ALL_LAYERS;
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
    if (layer >= profile->first && profile->bytes + 4u <= EAR_SESSION_MAX_PAYLOAD) {
        ear_put_u32(ear_out + profile->bytes, ticks);
        profile->bytes += 4u;
    }
    profile->since = ear_port_ticks();
    return false;
}

ear_status_t ear_serve_profile(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    profile_t profile = {.first = ear_get_u16(in + EAR_PROFILE_AT_FIRST),
                         .bytes = EAR_PROFILE_REPLY_AT_TICKS};
    if (!use_input()) {
        return EAR_ERROR_STATE;
    }
    const ear_observer_t observer = {.after_layer = time_layer, .user = &profile};
    const uint32_t begin = ear_port_ticks();
    profile.since = begin;
    const ear_status_t status = ear_model_invoke(&observer);
    ear_put_u32(ear_out + EAR_PROFILE_REPLY_AT_TOTAL, ear_port_ticks() - begin);
    *reply = profile.bytes;
    ear_session.output_valid = status == EAR_OK;
    return status;
}

typedef struct {
    uint32_t first;
    size_t bytes; /* of the reply so far */
} digest_t;

static bool sum_up_layer(void *user, uint32_t layer, const void *output) {
    digest_t *const digest = user;
    if (layer >= digest->first && digest->bytes + 4u <= EAR_SESSION_MAX_PAYLOAD) {
        ear_put_u32(ear_out + digest->bytes,
                    ear_crc32(0, output, ear_model_info.layers[layer].bytes));
        digest->bytes += 4u;
    }
    return false;
}

ear_status_t ear_serve_digest(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    digest_t digest = {.first = ear_get_u16(in + EAR_DIGEST_AT_FIRST),
                       .bytes = EAR_DIGEST_REPLY_AT_CRCS};
    if (!use_input()) {
        return EAR_ERROR_STATE;
    }
    const ear_observer_t observer = {.after_layer = sum_up_layer, .user = &digest};
    const ear_status_t status = ear_model_invoke(&observer);
    *reply = digest.bytes;
    ear_session.output_valid = status == EAR_OK;
    return status;
}

/* The window is copied to the model's input, which it fits: no memory of its own is needed. */
static ear_status_t show_window(const void **from, uint32_t *total) {
    *total = ear_recognizer_window_bytes();
    *from = ear_model_input();
    if (*total == 0u) {
        return EAR_ERROR_UNSUPPORTED;
    }
    ear_recognizer_window(ear_model_input());
    ear_session.input_open = true;
    ear_session.input_written = *total;
    ear_session_forget_outputs();
    return EAR_OK;
}

static ear_status_t find_bytes(uint32_t what, const void **from, uint32_t *total) {
    switch (what) {
    case EAR_WHAT_OUTPUT:
        *from = ear_model_output();
        *total = ear_model_info.output.bytes;
        return ear_session.output_valid ? EAR_OK : EAR_ERROR_STATE;
    case EAR_WHAT_LAYER:
        *from = ear_session.layer_output;
        *total = ear_session.layer_bytes;
        return ear_session.layer_output != NULL ? EAR_OK : EAR_ERROR_STATE;
    case EAR_WHAT_WINDOW:
        return show_window(from, total);
    case EAR_WHAT_TEXT:
        *from = NULL;
        *total = ear_session_text(NULL, 0, 0);
        return EAR_OK;
    default:
        return EAR_ERROR_ARGUMENT;
    }
}

ear_status_t ear_serve_read(const uint8_t *in, size_t count, size_t *reply) {
    (void)count;
    const uint32_t offset = ear_get_u32(in + EAR_READ_AT_OFFSET);
    const void *from = NULL;
    uint32_t total = 0;
    const ear_status_t status = find_bytes(ear_get_u16(in + EAR_READ_AT_WHAT), &from, &total);
    if (status != EAR_OK) {
        return status;
    }
    if (offset > total) {
        return EAR_ERROR_ARGUMENT;
    }
    uint32_t bytes = ear_smaller(ear_get_u16(in + EAR_READ_AT_COUNT), total - offset);
    bytes = ear_smaller(bytes, EAR_SESSION_MAX_PAYLOAD - EAR_READ_REPLY_BYTES);
    if (from == NULL) {
        (void)ear_session_text(ear_out + EAR_READ_REPLY_AT_DATA, offset, bytes);
    } else {
        memcpy(ear_out + EAR_READ_REPLY_AT_DATA, (const uint8_t *)from + offset, bytes);
    }
    ear_put_u32(ear_out + EAR_READ_REPLY_AT_TOTAL, total);
    *reply = EAR_READ_REPLY_BYTES + bytes;
    return EAR_OK;
}
