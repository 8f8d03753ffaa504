/* It listens to the serial line. */
#include "ear_app.h"

void app_main(void);

void app_main(void) {
    if (!ear_app_begin()) {
        return;
    }
    for (;;) {
        ear_app_poll();
    }
}
