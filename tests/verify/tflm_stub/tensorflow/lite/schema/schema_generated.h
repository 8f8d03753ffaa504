#ifndef STUB_SCHEMA_H
#define STUB_SCHEMA_H

#include <stdint.h>

namespace tflite {

enum BuiltinOperator { BuiltinOperator_CUSTOM = 32 };

/* The version of the schema is what an environment variable says. */
struct Model {
    uint32_t version() const;
};

const Model *GetModel(const void *content);

} // namespace tflite

#endif
