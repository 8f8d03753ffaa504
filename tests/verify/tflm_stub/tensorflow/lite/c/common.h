#ifndef STUB_COMMON_H
#define STUB_COMMON_H

#include <stddef.h>
#include <stdint.h>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

union StubData {
    void *data;
    uint8_t *uint8;
};

struct TfLiteTensor {
    StubData data;
    size_t bytes;
};

struct TfLiteEvalTensor {
    StubData data;
};

struct TfLiteNode {
    int unused;
};

struct TfLiteContext {
    TfLiteEvalTensor *(*GetEvalTensor)(const TfLiteContext *context, int tensor);
};

#endif
