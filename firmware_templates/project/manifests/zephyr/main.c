/* It listens to the serial line. */
#include "ear_app.h"

int main(void) {
    if (!ear_app_begin()) {
        return 1;
    }
    for (;;) {
        ear_app_poll();
    }
}
