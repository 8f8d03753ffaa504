/* The device's side of the serial protocol: takes requests from the port, serves and answers them.
 *
 * Needs the generated ear_protocol.h (numbers and layouts) and board_config.h (EAR_BOARD_NAME,
 * EAR_PORT_TICKS_HZ, EAR_PORT_RX_BYTES), and the model, the recogniser and the port of this
 * firmware. There is one session; not reentrant; all memory is static: one frame in, one frame out,
 * and, where there is a front end, the store of results.
 *
 * A damaged frame is dropped: the host asks again. A request with the type and number of the last
 * one gets the last reply again and is not carried out twice. HELLO forgets whatever was under way,
 * so a host may vanish at any point and another begin.
 */
#ifndef EAR_SESSION_H
#define EAR_SESSION_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Results of a stream are kept here until the host says that it has them. One takes 12 bytes, and
 * as many as the model's output where scores are asked for. */
#ifndef EAR_SESSION_STORE_BYTES
#define EAR_SESSION_STORE_BYTES 512u
#endif

/* Call once, after ear_port_init() and ear_model_init(). */
void ear_session_init(void);

/* Take some of the bytes that arrived and serve the requests that they complete; returns soon when
 * nothing arrived. Sends each reply once its request is carried out. */
void ear_session_poll(void);

#ifdef __cplusplus
}
#endif

#endif
