/* The command line of a firmware that is a Linux program. */
#ifndef EAR_PORT_LINUX_H
#define EAR_PORT_LINUX_H

#include <stdbool.h>

/* Choose the line that ear_port_init() opens; call before it. False when the arguments are not
 * understood or ask for help: then what to print was printed, and *exit_code is main's result. */
bool ear_port_arguments(int argc, char **argv, int *exit_code);

#endif
