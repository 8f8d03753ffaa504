#include "ear_weights.h"

const int8_t *ear_weights_rows(const ear_weights_t *weights, int32_t row, int32_t first,
                               int32_t count, int8_t *scratch)
{
    if (weights->unpack == NULL) {
        return (const int8_t *)weights->data + first * row;
    }
    const int32_t unit = weights->unit;
    for (int32_t done = 0; done < count; done += unit) {
        const int32_t channels = count - done < unit ? count - done : unit;
        weights->unpack(weights, (first + done) / unit, channels * row, scratch + done * row);
    }
    return scratch;
}
