/* What a board must provide. One folder per SoC family or operating system implements it.
 *
 * The port's constants (clock rates, UART, memory) come from the generated board_config.h, which
 * defines EAR_PORT_TICKS_HZ, the rate of ear_port_ticks().
 */
#ifndef EAR_PORT_H
#define EAR_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Clocks, UART, tick counter, interrupts. Called once, first. */
void ear_port_init(void);

/* Take up to `capacity` received bytes; never waits. The port keeps at least EAR_PORT_RX_BYTES
 * (board_config.h) that arrived and were not yet taken, and loses none while the host keeps to
 * the window that HELLO announces. */
size_t ear_port_read(uint8_t *bytes, size_t capacity);

/* Send all bytes; may wait for the line. */
void ear_port_write(const uint8_t *bytes, size_t count);

/* Free-running counter that wraps at 2^32. */
uint32_t ear_port_ticks(void);

/* Sleep until an interrupt, or a moment; returns at once when received bytes are waiting. */
void ear_port_idle(void);

/* Show a text beside the line, where the board has a place for it: a debugger or emulator that
 * listens, or a standard error. Lost elsewhere. */
void ear_port_say(const char *text);

/* False once the program should end: an operating system closed the line. Always true on bare
 * metal. */
bool ear_port_running(void);

/* Take up to `capacity` samples of 16-bit mono PCM at the front end's rate from the board's
 * microphone; never waits; 0 where the board has none. */
size_t ear_port_microphone(int16_t *samples, size_t capacity);

#endif
