#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"

void ear_truth_u8(const ear_truth_t *params, const ear_broadcast_t *shape, const uint8_t *input1,
                  const uint8_t *input2, uint8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = (uint8_t)((params->table >> (2 * (input1[i] != 0) + (input2[j] != 0))) & 1);
    }
}
