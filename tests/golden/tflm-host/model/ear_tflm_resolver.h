/* An op resolver of TFLite-Micro whose operators tell an observer of their outputs.
 *
 * It hands the interpreter each registration with another `invoke`: one that runs the operator and
 * then calls ear_tflm_after_operator(). Operators of other subgraphs (CALL_ONCE, IF, WHILE) run
 * within one of the main subgraph and are part of it. One model per firmware; not reentrant. */
#ifndef EAR_TFLM_RESOLVER_H
#define EAR_TFLM_RESOLVER_H

#include <cstddef>
#include <utility>

#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_common.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

/* Called after each operator of the main subgraph; another status than kTfLiteOk ends the inference
 * with it. */
TfLiteStatus ear_tflm_after_operator(TfLiteContext *context);

/* Operators: how many different ones may be added. */
template <unsigned Operators>
class EarTflmResolver final : public tflite::MicroMutableOpResolver<Operators> {
public:
    const TFLMRegistration *FindOp(tflite::BuiltinOperator op) const override {
        return Watched(tflite::MicroMutableOpResolver<Operators>::FindOp(op));
    }

    const TFLMRegistration *FindOp(const char *name) const override {
        return Watched(tflite::MicroMutableOpResolver<Operators>::FindOp(name));
    }

private:
    using Invoke = TfLiteStatus (*)(TfLiteContext *, TfLiteNode *);

    struct State {
        const TFLMRegistration *found[Operators];
        TFLMRegistration watched[Operators];
        unsigned count;
        unsigned depth; /* of subgraphs within subgraphs */
    };

    static State state;

    template <std::size_t Place>
    static TfLiteStatus Run(TfLiteContext *context, TfLiteNode *node) {
        ++state.depth;
        const TfLiteStatus status = state.found[Place]->invoke(context, node);
        --state.depth;
        return status == kTfLiteOk && state.depth == 0u ? ear_tflm_after_operator(context) : status;
    }

    template <std::size_t... Places>
    static Invoke RunAt(unsigned place, std::index_sequence<Places...>) {
        static constexpr Invoke kRuns[] = {Run<Places>...};
        return kRuns[place];
    }

    static const TFLMRegistration *Watched(const TFLMRegistration *registration) {
        if (registration == nullptr) {
            return nullptr;
        }
        unsigned place = 0;
        while (place < state.count && state.found[place] != registration) {
            ++place;
        }
        if (place == state.count) {
            state.found[place] = registration;
            state.watched[place] = *registration;
            state.watched[place].invoke = RunAt(place, std::make_index_sequence<Operators>{});
            ++state.count;
        }
        return &state.watched[place];
    }

    TF_LITE_REMOVE_VIRTUAL_DELETE
};

template <unsigned Operators>
typename EarTflmResolver<Operators>::State EarTflmResolver<Operators>::state;

#endif
