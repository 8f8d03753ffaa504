#include "tensorflow/lite/micro/micro_interpreter.h"

#include <cstdlib>

namespace tflite {

namespace {

constexpr int32_t kOperators[] = {3, 40, 9, 25};
constexpr size_t kInputBytes = 48;
constexpr size_t kOutputBytes = 4;

uint8_t marks[16];
uint8_t mark;
TfLiteEvalTensor shown;

TfLiteEvalTensor *GetEvalTensor(const TfLiteContext *, int tensor) {
    shown.data.data = &marks[tensor];
    return &shown;
}

} // namespace

uint32_t Model::version() const {
    const char *said = std::getenv("STUB_SCHEMA_VERSION");
    return said ? static_cast<uint32_t>(std::atoi(said)) : 3;
}

const Model *GetModel(const void *) {
    static Model model;
    return &model;
}

TfLiteStatus StubInvoke(TfLiteContext *, TfLiteNode *) {
    ++mark;
    for (uint8_t &each : marks) each = mark;
    return kTfLiteOk;
}

MicroInterpreter::MicroInterpreter(const Model *, const MicroOpResolver &resolver, uint8_t *arena,
                                   size_t arena_bytes)
    : resolver_(resolver), arena_(arena), arena_bytes_(arena_bytes) {}

TfLiteStatus MicroInterpreter::AllocateTensors() {
    input_.data.data = arena_;
    input_.bytes = kInputBytes;
    output_.data.data = arena_ + kInputBytes;
    output_.bytes = kOutputBytes;
    return arena_bytes_ < kInputBytes + kOutputBytes ? kTfLiteError : kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
    TfLiteContext context = {GetEvalTensor};
    TfLiteNode node = {0};
    mark = 0;
    for (const int32_t code : kOperators) {
        const TFLMRegistration *how = resolver_.FindOp(static_cast<BuiltinOperator>(code));
        if (how == nullptr) return kTfLiteError;
        const TfLiteStatus status = how->invoke(&context, &node);
        if (status != kTfLiteOk) return status;
    }
    for (size_t i = 0; i < kOutputBytes; ++i) output_.data.uint8[i] = mark;
    return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Reset() { return kTfLiteOk; }
TfLiteTensor *MicroInterpreter::input(size_t) { return &input_; }
TfLiteTensor *MicroInterpreter::output(size_t) { return &output_; }

} // namespace tflite
