/* edgeasr 0.1.0: model tiny (e58077abd370b3f7) for board rpi4. Generated: do not edit.
 *
 * The model as listen.py runs it: this library calls back for each inference. */
#include <stdalign.h>
#include <stdio.h>

#include "ear_model.h"
#include "ear_session.h"
#include "port.h"
#include "port_linux.h"

#if EAR_RUNTIME_VERSION != 1
#error "model.c was generated for runtime version 1; export the project again"
#endif

/* Of whoever loads the library; both return 0, or anything else where it did not work. */
typedef int (*ear_python_run_t)(void);
typedef int (*ear_python_reset_t)(void);

/* Serve the line that the arguments choose until it closes; returns the program's exit code.
 * engine: what it tells of itself. */
int ear_python_serve(int argc, char **argv, const char *engine, ear_python_run_t run,
                     ear_python_reset_t reset);

static alignas(16) uint8_t model_input[48];
static alignas(16) uint8_t model_output[4];
static char engine_name[16];
static ear_python_run_t run_model;
static ear_python_reset_t reset_model;

static const char *const labels[4] = {
    "_silence_",
    "_unknown_",
    "yes",
    "no",
};

/* The whole model is one layer. */
static const ear_tensor_t layer_output = {4, EAR_TYPE_INT8};

const ear_model_info_t ear_model_info = {
    .name = "tiny",
    .hash = {0xe5, 0x80, 0x77, 0xab, 0xd3, 0x70, 0xb3, 0xf7},
    .engine = engine_name,
    .labels = labels,
    .label_count = 4,
    .layer_count = 1,
    .layers = &layer_output,
    .input = {48, EAR_TYPE_INT8},
    .output = {4, EAR_TYPE_INT8},
    .arena_bytes = 0,
    .state_bytes = 0,
};

ear_status_t ear_model_init(void) {
    return EAR_OK;
}

void ear_model_reset(void) {
    if (ear_model_info.state_bytes != 0u && reset_model != NULL) {
        (void)reset_model();
    }
}

void *ear_model_input(void) {
    return model_input;
}

const void *ear_model_output(void) {
    return model_output;
}

ear_status_t ear_model_invoke(const ear_observer_t *observer) {
    if (run_model == NULL || run_model() != 0) {
        return EAR_ERROR_MODEL;
    }
    if (observer != NULL) {
        (void)observer->after_layer(observer->user, 0, model_output);
    }
    return EAR_OK;
}

int ear_python_serve(int argc, char **argv, const char *engine, ear_python_run_t run,
                     ear_python_reset_t reset) {
    int exit_code = 0;
    if (!ear_port_arguments(argc, argv, &exit_code)) {
        return exit_code;
    }
    (void)snprintf(engine_name, sizeof engine_name, "%s", engine);
    run_model = run;
    reset_model = reset;
    ear_port_init();
    ear_session_init();
    while (ear_port_running()) {
        ear_session_poll();
        ear_port_idle();
    }
    return 0;
}
