/* Convolution by columns: what lies under the filter at four output positions is widened to int16,
 * input offset added, once for all output channels; each weight that is loaded then serves four
 * positions. Bit-exact with the sums that ear_conv2d_s8 makes one position at a time. */
#ifndef EAR_COLUMNS_S8_H
#define EAR_COLUMNS_S8_H

#include "ear_finish_s8.h"

#define EAR_COLUMNS 4

/* Columns of `depth` values, in memory of the caller's: 16 values for each four of the depth, or a
 * part of four. Four values of a column are the pairs (0, 2) and (1, 3), one after the other; each
 * pair lies beside those of the other columns. */
typedef struct {
    int16_t *values; /* aligned to 4 bytes */
    int32_t depth;
} ear_columns_t;

/* What lies behind the columns. */
static inline int8_t *ear_columns_end(const ear_columns_t *columns)
{
    return (int8_t *)(columns->values + (columns->depth + 3) / 4 * 4 * EAR_COLUMNS);
}

/* Makes column `number` of `depth` values that are contiguous. */
void ear_columns_put(const ear_columns_t *columns, int32_t number, const int8_t *values,
                     int32_t offset);

/* The outputs of `count` channels from `channel` on at the four columns, which are `stride` apart.
 * filter: the weights of these channels, [count][depth]. */
void ear_columns_product(const ear_columns_t *columns, const int8_t *filter, int32_t channel,
                         int32_t count, const ear_finish_t *finish, int8_t *output,
                         int32_t stride);

#endif
