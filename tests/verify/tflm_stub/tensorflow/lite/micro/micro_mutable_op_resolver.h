#ifndef STUB_RESOLVER_H
#define STUB_RESOLVER_H

#include "tensorflow/lite/micro/micro_common.h"
#include "tensorflow/lite/schema/schema_generated.h"

#define TF_LITE_REMOVE_VIRTUAL_DELETE \
    void operator delete(void *) {}

namespace tflite {

const TfLiteStatus kTfLiteAbort = static_cast<TfLiteStatus>(15);

TfLiteStatus StubInvoke(TfLiteContext *context, TfLiteNode *node);

inline TFLMRegistration Stub(int32_t code) { return {StubInvoke, code, nullptr}; }
inline TFLMRegistration Register_CONV_2D_INT8() { return Stub(3); }
inline TFLMRegistration Register_FULLY_CONNECTED_INT8() { return Stub(9); }
inline TFLMRegistration Register_SOFTMAX_INT8() { return Stub(25); }

class MicroOpResolver {
public:
    virtual const TFLMRegistration *FindOp(BuiltinOperator op) const = 0;
    virtual const TFLMRegistration *FindOp(const char *name) const = 0;
    virtual ~MicroOpResolver() {}
};

template <unsigned Most>
class MicroMutableOpResolver : public MicroOpResolver {
public:
    TF_LITE_REMOVE_VIRTUAL_DELETE

    const TFLMRegistration *FindOp(BuiltinOperator op) const override {
        for (unsigned i = 0; i < count_; ++i) {
            if (added_[i].builtin_code == op) return &added_[i];
        }
        return nullptr;
    }

    const TFLMRegistration *FindOp(const char *) const override { return nullptr; }

    TfLiteStatus AddConv2D(const TFLMRegistration &how) { return Add(how); }
    TfLiteStatus AddFullyConnected(const TFLMRegistration &how) { return Add(how); }
    TfLiteStatus AddMean() { return Add(Stub(40)); }
    TfLiteStatus AddSoftmax(const TFLMRegistration &how) { return Add(how); }

private:
    TfLiteStatus Add(const TFLMRegistration &how) {
        if (count_ == Most) return kTfLiteError;
        added_[count_++] = how;
        return kTfLiteOk;
    }

    TFLMRegistration added_[Most];
    unsigned count_ = 0;
};

} // namespace tflite

#endif
