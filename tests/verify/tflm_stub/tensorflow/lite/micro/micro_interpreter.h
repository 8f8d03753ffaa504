#ifndef STUB_INTERPRETER_H
#define STUB_INTERPRETER_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

/* Its model is the tiny one of the tests: a convolution, a mean, a dense layer, a softmax. */
class MicroInterpreter {
public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena,
                     size_t arena_bytes);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteStatus Reset();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const { return 1; }
    size_t outputs_size() const { return 1; }
    size_t arena_used_bytes() const { return 64; }

private:
    const MicroOpResolver &resolver_;
    uint8_t *arena_;
    size_t arena_bytes_;
    TfLiteTensor input_;
    TfLiteTensor output_;
};

} // namespace tflite

#endif
