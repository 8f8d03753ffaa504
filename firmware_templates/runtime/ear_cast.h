/* Integers of any size, one at a time. */
#ifndef EAR_CAST_H
#define EAR_CAST_H

#include "ear_kernels_arithmetic.h"

/* Element i of the input, in 32 bits: its own, and above them its sign or zeros. */
static inline uint32_t ear_cast_load(const ear_cast_t *params, const void *input, int32_t i)
{
    if (params->input_bytes == 1) {
        return params->input_signed ? (uint32_t)((const int8_t *)input)[i]
                                    : ((const uint8_t *)input)[i];
    }
    return params->input_bytes == 2 ? (uint32_t)((const int16_t *)input)[i]
                                    : ((const uint32_t *)input)[i];
}

/* Store the low bits of x as element i of the output. */
static inline void ear_cast_store(const ear_cast_t *params, void *output, int32_t i, uint32_t x)
{
    if (params->output_bytes == 1) {
        ((uint8_t *)output)[i] = (uint8_t)x;
    } else if (params->output_bytes == 2) {
        ((uint16_t *)output)[i] = (uint16_t)x;
    } else {
        ((uint32_t *)output)[i] = x;
    }
}

#endif
