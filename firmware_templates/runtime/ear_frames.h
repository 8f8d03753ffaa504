/* Frames of the serial protocol: bytes on the line to checked frames, and back.
 *
 * On the line: 00 COBS(type u8, status i8, sequence u16, payload, CRC-32) 00, little-endian. A
 * frame that is damaged in any way is dropped whole and counted; decoding starts afresh at the next
 * 00. The caller owns every buffer.
 */
#ifndef EAR_FRAMES_H
#define EAR_FRAMES_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A decoded frame: header, payload, CRC. */
#define EAR_FRAME_AT_TYPE 0u
#define EAR_FRAME_AT_STATUS 1u
#define EAR_FRAME_AT_SEQUENCE 2u
#define EAR_FRAME_HEADER_BYTES 4u
#define EAR_FRAME_CRC_BYTES 4u
#define EAR_FRAME_RAW_BYTES(payload) (EAR_FRAME_HEADER_BYTES + (payload) + EAR_FRAME_CRC_BYTES)

/* Encoding works in place, on data that begins EAR_FRAME_HEADROOM bytes into its buffer: room for
 * the first delimiter and the bytes that COBS adds before the data. Enough for payloads of up to
 * EAR_FRAME_LONGEST_PAYLOAD bytes. */
#define EAR_FRAME_HEADROOM 4u
#define EAR_FRAME_LONGEST_PAYLOAD 700u
#define EAR_FRAME_ENCODED_BYTES(payload) \
    (EAR_FRAME_HEADROOM + EAR_FRAME_RAW_BYTES(payload) + 1u)

/* CRC-32 of ISO-HDLC, as in zlib: reflected polynomial 0xEDB88320, 0xCBF43926 for "123456789".
 * crc: 0 to begin with, then the result so far. */
uint32_t ear_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

typedef struct {
    uint8_t *frame;   /* the caller's: room for one decoded frame, and the frame once it is whole */
    size_t capacity;  /* of `frame` */
    size_t count;     /* bytes decoded so far */
    uint32_t dropped; /* damaged frames since the start; wraps */
    uint8_t code;     /* COBS code of the current block, 0 before the first */
    uint8_t left;     /* bytes of the current block that are to come */
    bool damaged;
} ear_decoder_t;

/* Start on a buffer of EAR_FRAME_RAW_BYTES(longest payload) bytes. */
void ear_decoder_init(ear_decoder_t *decoder, uint8_t *frame, size_t capacity);

/* Take one byte from the line. True when it ends a good frame: its header and payload then stand in
 * `frame`, and *payload_bytes says how long the payload is, until the next push. */
bool ear_decoder_push(ear_decoder_t *decoder, uint8_t byte, size_t *payload_bytes);

/* Turn a header and payload into the bytes for the line, adding the CRC.
 * buffer: EAR_FRAME_ENCODED_BYTES(payload_bytes) long; header and payload begin at
 * buffer + EAR_FRAME_HEADROOM. Returns the number of bytes to send, from buffer on. */
size_t ear_frame_encode(uint8_t *buffer, size_t payload_bytes);

#ifdef __cplusplus
}
#endif

#endif
