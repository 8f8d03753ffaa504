/* The end of every layer with weights on int16: bias, scale, clamp. */
#ifndef EAR_FINISH_S16_H
#define EAR_FINISH_S16_H

#include "ear_kernels_s16.h"

typedef struct {
    const ear_channels_s16_t *channels;
    int32_t low;
    int32_t high;
} ear_finish_s16_t;

/* The outputs of `count` channels from `channel` on, from their sums without bias; where sums fit
 * int32. */
void ear_finish_s16(const ear_finish_s16_t *finish, int32_t channel, int32_t count,
                    const int32_t *sums, int16_t *output);

/* The output of one channel from its sum without bias. */
int16_t ear_finish_one_s16(const ear_finish_s16_t *finish, int32_t channel, int64_t sum);

#endif
