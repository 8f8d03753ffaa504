#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"
#include "ear_softmax.h"

/* value1 / value2 in quantized values, before the zero point of the output. */
static int32_t quotient(const ear_div_t *params, int32_t value1, int32_t value2)
{
    if (value1 == 0 || value2 == 0) {
        return 0;
    }
    const uint32_t divisor = (uint32_t)(value2 < 0 ? -value2 : value2);
    const int32_t dividend = value2 < 0 ? -value1 : value1;
    const int32_t zeros = ear_leading_zeros(divisor);
    const uint32_t normal = divisor << zeros; /* in [2^31, 2^32): 1 to 2 */
    const int32_t inverse = ear_one_over_one_plus((int32_t)(normal - (1u << 31)));
    /* bits that can be shifted out above without changing the sign */
    const int32_t headroom = ear_leading_zeros((uint32_t)(dividend < 0 ? ~dividend : dividend)) - 1;
    const int32_t raw = ear_multiply_high((int32_t)((uint32_t)dividend << headroom), inverse);
    const int32_t right = headroom + 31 - zeros - params->output_shift;
    return ear_divide_by_power(ear_multiply_high(raw, params->output_multiplier),
                               right < 31 ? right : 31);
}

void ear_div_s8(const ear_div_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int32_t result = quotient(params, input1[i] + params->input1_offset,
                                        input2[j] + params->input2_offset);
        *output++ = (int8_t)ear_clamp(result + params->output_offset, params->output_min,
                                      params->output_max);
    }
}
