/* Sums of products of int8 vectors: the inner loops of convolution and fully connected layers.
 * Four filters share each input element, which halves the loads of one at a time. Sums of
 * products stay within int32; with biases they may leave it, and wrap. */
#ifndef EAR_DOT_S8_H
#define EAR_DOT_S8_H

#include "ear.h"
#include "ear_requantize.h"

/* sums[k] += sum over i of (input[i] + offset) * filter[k * stride + i], for k = 0 to 3. */
void ear_dot4_s8(const int8_t *input, int32_t offset, const int8_t *filter, int32_t stride,
                 int32_t count, int32_t sums[4]);

/* The sum over i of (input[i] + offset) * filter[i]. */
int32_t ear_dot_s8(const int8_t *input, int32_t offset, const int8_t *filter, int32_t count);

#endif
