/* Kernels of integer arithmetic: on plain int32 and bool tensors, and what int8 and int16 have
 * besides ADD, SUB and MUL.
 *
 * What ear_kernels.h says of all kernels holds here too. Two inputs are broadcast as
 * ear_broadcast_t says; the output may be one of them where that input is not broadcast. Sums,
 * differences and products of int32 wrap.
 */
#ifndef EAR_KERNELS_ARITHMETIC_H
#define EAR_KERNELS_ARITHMETIC_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The fused activation of int32 results. */
typedef struct {
    int32_t output_min;
    int32_t output_max;
} ear_range_s32_t;

void ear_add_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output);
void ear_sub_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output);
void ear_mul_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output);

/* DIV, rounded towards zero. As with the SDIV of Cortex-M, a division by 0 gives 0, and INT32_MIN
 * by -1 gives INT32_MIN; TFLite-Micro stops at both. */
void ear_div_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output);

/* DIV of int8: the divisor's reciprocal as gemmlowp computes it, with 31 bits. A division by the
 * zero point gives the zero point; a quotient that rounds to less than 2^-31 of a step is 0. */
typedef struct {
    int32_t input1_offset;
    int32_t input2_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift; /* at most 22 */
    int32_t output_min;
    int32_t output_max;
} ear_div_t;

void ear_div_s8(const ear_div_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output);

/* SQUARED_DIFFERENCE: both inputs are brought to one scale, with 7 more bits on int8 and none on
 * int16. Uses all of ear_add_t but `sign`. */
void ear_squared_difference_s8(const ear_add_t *params, const ear_broadcast_t *shape,
                               const int8_t *input1, const int8_t *input2, int8_t *output);
void ear_squared_difference_s16(const ear_add_t *params, const ear_broadcast_t *shape,
                                const int16_t *input1, const int16_t *input2, int16_t *output);
void ear_squared_difference_s32(const ear_broadcast_t *shape, const int32_t *input1,
                                const int32_t *input2, int32_t *output);

/* MINIMUM and MAXIMUM of the values as they are stored. */
typedef struct {
    int32_t maximum; /* 0: the lesser one, 1: the greater one */
} ear_min_max_t;

void ear_min_max_s8(const ear_min_max_t *params, const ear_broadcast_t *shape,
                    const int8_t *input1, const int8_t *input2, int8_t *output);
void ear_min_max_s16(const ear_min_max_t *params, const ear_broadcast_t *shape,
                     const int16_t *input1, const int16_t *input2, int16_t *output);
void ear_min_max_s32(const ear_min_max_t *params, const ear_broadcast_t *shape,
                     const int32_t *input1, const int32_t *input2, int32_t *output);
void ear_min_max_s64(const ear_min_max_t *params, const ear_broadcast_t *shape,
                     const int64_t *input1, const int64_t *input2, int64_t *output);

/* EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL. The multipliers bring two int8 to
 * one scale; of others they are not read. */
typedef struct {
    int32_t accepted; /* bit 0: less, bit 1: equal, bit 2: greater */
    int32_t input1_offset;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_offset;
    int32_t input2_multiplier;
    int32_t input2_shift;
} ear_compare_t;

/* Outputs are 0 and 1. */
void ear_compare_s8(const ear_compare_t *params, const ear_broadcast_t *shape,
                    const int8_t *input1, const int8_t *input2, uint8_t *output);
void ear_compare_s32(const ear_compare_t *params, const ear_broadcast_t *shape,
                     const int32_t *input1, const int32_t *input2, uint8_t *output);
void ear_compare_s64(const ear_compare_t *params, const ear_broadcast_t *shape,
                     const int64_t *input1, const int64_t *input2, uint8_t *output);

/* Any function of two truths (LOGICAL_AND, LOGICAL_OR, EQUAL, NOT_EQUAL): bit 2 a + b of the table
 * is its value; anything but 0 is true. */
typedef struct {
    int32_t table;
} ear_truth_t;

void ear_truth_u8(const ear_truth_t *params, const ear_broadcast_t *shape, const uint8_t *input1,
                  const uint8_t *input2, uint8_t *output);

/* ADD_N: `inputs` tensors of one scale and zero point, each with 20 more bits at half its scale. */
typedef struct {
    int32_t inputs;
    int32_t count;
    int32_t input_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
} ear_add_n_t;

void ear_add_n_s8(const ear_add_n_t *params, const int8_t *const *inputs, int8_t *output);

/* CAST. Integers keep their low bits; a bool is 0 or 1. */
typedef struct {
    int32_t count;
    int32_t input_bytes;
    int32_t input_signed;
    int32_t output_bytes;
    int32_t output_signed; /* only read by casts of float */
} ear_cast_t;

void ear_cast_integer(const ear_cast_t *params, const void *input, void *output);

/* To the nearest float. */
void ear_cast_integer_f32(const ear_cast_t *params, const void *input, float *output);

/* Towards zero, saturated to int32 (to uint32 where that is the output) before higher bits are
 * dropped; not-a-number gives 0. */
void ear_cast_f32_integer(const ear_cast_t *params, const float *input, void *output);

/* DEQUANTIZE, as of int8. */
void ear_dequantize_u8_f32(const ear_quantize_t *params, const uint8_t *input, float *output);

#ifdef __cplusplus
}
#endif

#endif
