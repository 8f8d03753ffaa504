#pragma once
#include <stdbool.h>

struct device {
    int none;
};

extern const struct device stub_console;

#define DT_CHOSEN(name) stub_chosen_##name
#define DEVICE_DT_GET(node) (&stub_console)

static inline bool device_is_ready(const struct device *device) {
    return device == &stub_console;
}
