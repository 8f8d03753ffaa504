#include "ear_frames.h"

#define COBS_FULL 0xFFu /* code of a block of 254 bytes that no zero follows */

uint32_t ear_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    /* Half a byte at a time: 64 bytes of table instead of 1024. */
    static const uint32_t table[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return ~crc;
}

static void start_frame(ear_decoder_t *decoder) {
    decoder->count = 0;
    decoder->code = 0;
    decoder->left = 0;
    decoder->damaged = false;
}

void ear_decoder_init(ear_decoder_t *decoder, uint8_t *frame, size_t capacity) {
    decoder->frame = frame;
    decoder->capacity = capacity;
    decoder->dropped = 0;
    start_frame(decoder);
}

static void append(ear_decoder_t *decoder, uint8_t byte) {
    if (decoder->count < decoder->capacity) {
        decoder->frame[decoder->count++] = byte;
    } else {
        decoder->damaged = true;
    }
}

static bool is_whole(const ear_decoder_t *decoder) {
    if (decoder->damaged || decoder->left != 0u ||
        decoder->count < EAR_FRAME_RAW_BYTES((size_t)0)) {
        return false;
    }
    const size_t content = decoder->count - EAR_FRAME_CRC_BYTES;
    const uint32_t crc = ear_crc32(0, decoder->frame, content);
    const uint8_t *const sent = decoder->frame + content;
    return sent[0] == (uint8_t)crc && sent[1] == (uint8_t)(crc >> 8) &&
           sent[2] == (uint8_t)(crc >> 16) && sent[3] == (uint8_t)(crc >> 24);
}

bool ear_decoder_push(ear_decoder_t *decoder, uint8_t byte, size_t *payload_bytes) {
    if (byte == 0u) {
        const bool any = decoder->code != 0u;
        const bool whole = any && is_whole(decoder);
        *payload_bytes = whole ? decoder->count - EAR_FRAME_RAW_BYTES((size_t)0) : 0u;
        decoder->dropped += any && !whole ? 1u : 0u;
        start_frame(decoder);
        return whole;
    }
    if (decoder->left > 0u) {
        decoder->left--;
        append(decoder, byte);
        return false;
    }
    /* The zero that a block stands for is due only once another block follows. */
    if (decoder->code != 0u && decoder->code != COBS_FULL) {
        append(decoder, 0);
    }
    decoder->code = byte;
    decoder->left = (uint8_t)(byte - 1u);
    return false;
}

size_t ear_frame_encode(uint8_t *buffer, size_t payload_bytes) {
    uint8_t *const raw = buffer + EAR_FRAME_HEADROOM;
    size_t count = EAR_FRAME_HEADER_BYTES + payload_bytes;
    const uint32_t crc = ear_crc32(0, raw, count);
    for (unsigned shift = 0; shift < 32u; shift += 8u) {
        raw[count++] = (uint8_t)(crc >> shift);
    }
    size_t out = 0;
    buffer[out++] = 0;
    size_t code_at = out++;
    uint8_t code = 1;
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = raw[i];
        if (byte != 0u) {
            buffer[out++] = byte;
            code++;
        }
        if (byte == 0u || code == COBS_FULL) {
            buffer[code_at] = code;
            code_at = out++;
            code = 1;
        }
    }
    buffer[code_at] = code;
    buffer[out++] = 0;
    return out;
}
