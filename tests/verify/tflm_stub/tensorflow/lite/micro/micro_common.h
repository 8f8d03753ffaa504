#ifndef STUB_MICRO_COMMON_H
#define STUB_MICRO_COMMON_H

#include "tensorflow/lite/c/common.h"

struct TFLMRegistration {
    TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
    int32_t builtin_code;
    const char *custom_name;
};

#endif
