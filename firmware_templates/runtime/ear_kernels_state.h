/* Kernels for memory that lasts from one inference to the next: windows over a stream of rows.
 *
 * Rows are bytes, counted at export, of any type. Common rules are those of ear_kernels.h.
 */
#ifndef EAR_KERNELS_STATE_H
#define EAR_KERNELS_STATE_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Drop the oldest rows of a window: its bytes from `from` on, `bytes` of them, come to its start. */
void ear_shift(int32_t from, int32_t bytes, void *window);

/* Write the newest rows, `bytes` of them, at byte `at` of a window. */
void ear_append(int32_t at, int32_t bytes, const void *rows, void *window);

#ifdef __cplusplus
}
#endif

#endif
