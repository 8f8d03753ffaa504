/* The Edge ASR runtime: types that everything in it shares.
 *
 * The runtime is C11, freestanding but for memcpy, memset and memmove. It never allocates, never
 * prints, and knows the size of every buffer before it runs. Functions return an ear_status_t;
 * the host turns it into a sentence.
 */
#ifndef EAR_H
#define EAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Generated code is made for one version of the runtime and refuses any other. */
#define EAR_RUNTIME_VERSION 1

/* 0 is success, negatives are errors. The host's table of sentences is tested against this list. */
typedef enum {
    EAR_OK = 0,
    EAR_ERROR_ARGUMENT = -1,   /* a value outside its stated range */
    EAR_ERROR_SIZE = -2,       /* a buffer is too small, or data does not fit */
    EAR_ERROR_STATE = -3,      /* not possible now, for instance audio before a begin */
    EAR_ERROR_UNKNOWN = -4,    /* a request of a type this firmware does not have */
    EAR_ERROR_VERSION = -5,    /* the other side speaks another protocol version */
    EAR_ERROR_SEQUENCE = -6,   /* data that starts beyond the next byte expected */
    EAR_ERROR_MODEL = -7,      /* the model's data is damaged, or the engine failed */
    EAR_ERROR_UNSUPPORTED = -8 /* the board or engine lacks what is asked */
} ear_status_t;

#endif
