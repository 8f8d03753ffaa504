/* edgeasr 0.1.0: model tiny (e58077abd370b3f7) for board qemu_mps2_an386. Generated: do not edit.
 *
 * TFLite-Micro runs the model, with 4 kinds of operators in an arena of 1600 bytes. */
#include "model.h"

#include <cstddef>
#include <new>

#include "ear_frames.h"
#include "ear_model.h"
#include "ear_tflm.h"
#include "ear_tflm_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

#if EAR_RUNTIME_VERSION != 1
#error "model.cpp was generated for runtime version 1; export the project again"
#endif

namespace {

using Resolver = EarTflmResolver<4>;

/* Made in place by ear_model_init(): nothing runs before main, and nothing is torn down. */
alignas(16) uint8_t arena[EAR_MODEL_ARENA_BYTES];
alignas(Resolver) uint8_t resolver_memory[sizeof(Resolver)];
alignas(tflite::MicroInterpreter) uint8_t interpreter_memory[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;

/* Of the inference that runs: who watches, which operator is next, whether it was stopped. */
const ear_observer_t *watching;
uint32_t next_operator;
bool stopped;

/* Which layer each operator is; -1 for one that has no tensor to show. */
const int16_t layer_of_operator[] = {
    0, 1, 2, 3,
};

const int16_t tensor_of_layer[EAR_MODEL_LAYERS] = {
    3, 5, 7, 8,
};

/* The bytes are those that were exported, and of a schema that the library reads. */
bool model_is_whole() {
    return ear_model_data_bytes == EAR_MODEL_DATA_BYTES &&
           ear_crc32(0, ear_model_data, ear_model_data_bytes) == EAR_MODEL_DATA_CRC &&
           tflite::GetModel(ear_model_data)->version() == TFLITE_SCHEMA_VERSION;
}

/* Each kind of operator with the leanest registration that all its uses in the model allow. */
bool add_operators(Resolver &resolver) {
    return
        resolver.AddConv2D(tflite::Register_CONV_2D_INT8()) == kTfLiteOk &&
        resolver.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8()) == kTfLiteOk &&
        resolver.AddMean() == kTfLiteOk &&
        resolver.AddSoftmax(tflite::Register_SOFTMAX_INT8()) == kTfLiteOk;
}

bool set_up() {
    Resolver *const resolver = new (resolver_memory) Resolver();
    const tflite::Model *const model = tflite::GetModel(ear_model_data);
    interpreter = new (interpreter_memory)
        tflite::MicroInterpreter(model, *resolver, arena, sizeof arena);
    return add_operators(*resolver) && interpreter->AllocateTensors() == kTfLiteOk;
}

/* The ends have the sizes that were exported: nobody writes beyond them. */
bool ends_fit() {
    return interpreter->inputs_size() == 1u && interpreter->outputs_size() == 1u &&
           interpreter->input(0)->bytes == EAR_MODEL_INPUT_BYTES &&
           interpreter->output(0)->bytes == EAR_MODEL_OUTPUT_BYTES;
}

} // namespace

TfLiteStatus ear_tflm_after_operator(TfLiteContext *context) {
    const int16_t layer = layer_of_operator[next_operator++];
    if (watching == nullptr || layer < 0) {
        return kTfLiteOk;
    }
    const TfLiteEvalTensor *const output = context->GetEvalTensor(context, tensor_of_layer[layer]);
    stopped = watching->after_layer(watching->user, static_cast<uint32_t>(layer), output->data.data);
    return stopped ? tflite::kTfLiteAbort : kTfLiteOk;
}

ear_status_t ear_model_init(void) {
    if (model_is_whole() && set_up() && ends_fit()) {
        return EAR_OK;
    }
    interpreter = nullptr;
    return EAR_ERROR_MODEL;
}

void ear_model_reset(void) {
}

uint32_t ear_tflm_arena_used_bytes(void) {
    return interpreter != nullptr ? static_cast<uint32_t>(interpreter->arena_used_bytes()) : 0u;
}

void *ear_model_input(void) {
    return interpreter != nullptr ? interpreter->input(0)->data.data : arena;
}

const void *ear_model_output(void) {
    return interpreter != nullptr ? interpreter->output(0)->data.data : arena;
}

ear_status_t ear_model_invoke(const ear_observer_t *observer) {
    if (interpreter == nullptr) {
        return EAR_ERROR_MODEL;
    }
    watching = observer;
    next_operator = 0;
    stopped = false;
    const TfLiteStatus status = interpreter->Invoke();
    return status == kTfLiteOk || stopped ? EAR_OK : EAR_ERROR_MODEL;
}
