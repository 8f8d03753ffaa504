/* Convolution by columns: what lies under the filter at five output positions is widened to int16,
 * input offset added, once for all output channels; each weight that is loaded then serves five
 * positions. Bit-exact with the sums that ear_conv2d_s8 makes one position at a time. */
#ifndef EAR_COLUMNS_S8_H
#define EAR_COLUMNS_S8_H

#include "ear_finish_s8.h"
#include "ear_window.h"

#define EAR_COLUMNS 5

/* Columns of `depth` values, in memory of the caller's: 20 values for each four of the depth, or a
 * part of four; behind them `depth` bytes more, unless the filter is 1 x 1. Four values of a column
 * are the pairs (0, 2) and (1, 3), one after the other; each pair lies beside those of the other
 * columns. */
typedef struct {
    int16_t *values; /* aligned to 4 bytes */
    int32_t depth;
    int32_t offset; /* that is added to every value */
    int32_t count;  /* columns that are made */
} ear_columns_t;

/* Makes one more column of what lies under the window; padding is 0. */
void ear_columns_put(ear_columns_t *columns, const ear_window_t *window, const int8_t *image);

/* The outputs of `count` channels from `channel` on at the columns made, which are `stride` apart.
 * filter: the weights of these channels, [count][depth]. */
void ear_columns_product(const ear_columns_t *columns, const int8_t *filter, int32_t channel,
                         int32_t count, const ear_finish_t *finish, int8_t *output,
                         int32_t stride);

/* The same in steps, for columns that are parts of longer ones: sums, EAR_COLUMNS for each channel,
 * begin with the bias, have the products of each part added, and end as outputs. filter: the
 * weights of the part, rows of `row` apart. */
void ear_columns_begin(const ear_finish_t *finish, int32_t channel, int32_t count, int32_t *sums);
void ear_columns_add(const ear_columns_t *columns, const int8_t *filter, int32_t row,
                     int32_t count, int32_t *sums);
void ear_columns_end(const ear_columns_t *columns, int32_t channel, int32_t count,
                     const ear_finish_t *finish, const int32_t *sums, int8_t *output,
                     int32_t stride);

#endif
