/* The ends of every layer with weights: bias before the products, then scale, zero point, clamp. */
#ifndef EAR_FINISH_S8_H
#define EAR_FINISH_S8_H

#include "ear_kernels.h"

typedef struct {
    const int32_t *bias; /* or NULL */
    ear_scales_t scales;
    int32_t zero_point;
    int32_t low;
    int32_t high;
} ear_finish_t;

/* Where the sums of four channels from `channel` on begin. */
static inline void ear_begin4_s8(const ear_finish_t *finish, int32_t channel, int32_t sums[4])
{
    static const int32_t none[4] = {0, 0, 0, 0};
    const int32_t *const bias = finish->bias != NULL ? finish->bias + channel : none;
    sums[0] = bias[0];
    sums[1] = bias[1];
    sums[2] = bias[2];
    sums[3] = bias[3];
}

static inline int32_t ear_begin_s8(const ear_finish_t *finish, int32_t channel)
{
    return finish->bias != NULL ? finish->bias[channel] : 0;
}

/* The outputs of `count` channels, at least 1, from `channel` on, from their sums. */
void ear_finish_s8(const ear_finish_t *finish, int32_t channel, int32_t count,
                   const int32_t *sums, int8_t *output);

#endif
