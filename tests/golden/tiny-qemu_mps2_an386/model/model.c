/* edgeasr 0.1.0: model tiny (e58077abd370b3f7) for board qemu_mps2_an386. Generated: do not edit.
 *
 * 4 layers, 448 multiply-accumulates, 1089 bytes of constants,
 * 208 bytes of arena (at least 208 are live at once), 0 bytes of state. */
#include "model.h"

#include <stdalign.h>

#include "ear_kernels.h"
#include "ear_model.h"

#if EAR_RUNTIME_VERSION != 1
#error "model.c was generated for runtime version 1; export the project again"
#endif

static alignas(16) uint8_t arena[EAR_MODEL_ARENA_BYTES];

/* 0: CONV_2D [1, 6, 8, 1] -> [1, 3, 4, 4], conv */
static const int32_t l0_multipliers[4] = {
    1287196160, 1634518400, 1372225664, 2138994816,
};
static const int8_t l0_shifts[4] = {
    -6, -6, -8, -6,
};
static const int8_t l0_filter[36] = {
    127, 100, -94, -7, 115, 61, -122, 3, -26, 40, -46, 65, 59, 22, -47, 115, 77, -104, 108, -120,
    118, 36, 103, -92, 82, -17, 44, 82, 46, 48, 90, 114, 41, -14, 77, -65,
};
static const int32_t l0_bias[4] = {
    589, 608, 68, 571,
};
static const ear_conv_t l0_params = {
    .input_offset = 128,
    .output_offset = -128,
    .output_min = -128,
    .output_max = 127,
    .stride_h = 2,
    .stride_w = 2,
    .dilation_h = 1,
    .dilation_w = 1,
    .pad_h = 0,
    .pad_w = 0,
    .depth_multiplier = 1,
    .columns_bytes = 132,
};
static const ear_scales_t l0_scales = {
    .multipliers = l0_multipliers,
    .shifts = l0_shifts,
    .step = 1,
};
static const ear_dims_t l0_input_dims = {
    .n = 1,
    .h = 6,
    .w = 8,
    .c = 1,
};
static const ear_dims_t l0_filter_dims = {
    .n = 4,
    .h = 3,
    .w = 3,
    .c = 1,
};
static const ear_weights_t l0_weights = {
    .data = l0_filter,
    .tables = NULL,
    .unpack = NULL,
    .block = 0,
    .unit = 0,
    .unit_words = 0,
    .table_units = 1,
    .entries = 0,
    .step = 1,
    .base = 0,
};
static const ear_dims_t l0_output_dims = {
    .n = 1,
    .h = 3,
    .w = 4,
    .c = 4,
};
static void layer_0(void) {
    ear_conv2d_columns_s8(&l0_params, &l0_scales, &l0_input_dims, (const int8_t *)(void *)(arena + 160), &l0_filter_dims, &l0_weights, (int8_t *)(void *)(arena + 0), l0_bias, &l0_output_dims, (int8_t *)(void *)(arena + 144));
}

/* 1: MEAN [1, 3, 4, 4] -> [1, 4], mean */
static const ear_mean_t l1_params = {
    .kept = {1, 1, 4},
    .kept_stride = {0, 0, 1},
    .summed = {1, 1, 12},
    .summed_stride = {0, 0, 4},
    .sum_offset = 1536,
    .multiplier = 1193046515,
    .shift = -2,
    .output_offset = -100,
};
static void layer_1(void) {
    ear_mean_s8(&l1_params, (const int8_t *)(void *)(arena + 144), (int8_t *)(void *)(arena + 0));
}

/* 2: FULLY_CONNECTED [1, 4] -> [1, 4], logits */
static const int32_t l2_multipliers[1] = {
    1649267343,
};
static const int8_t l2_shifts[1] = {
    -8,
};
static const int8_t l2_filter[16] = {
    32, -81, 84, -49, -56, -16, -8, 94, -59, -97, -33, -20, -92, -19, 110, -59,
};
static const ear_fully_connected_t l2_params = {
    .input_offset = 100,
    .filter_offset = 0,
    .output_offset = 3,
    .output_min = -128,
    .output_max = 127,
    .rows = 1,
    .depth = 4,
    .units = 4,
};
static const ear_scales_t l2_scales = {
    .multipliers = l2_multipliers,
    .shifts = l2_shifts,
    .step = 0,
};
static const ear_weights_t l2_weights = {
    .data = l2_filter,
    .tables = NULL,
    .unpack = NULL,
    .block = 0,
    .unit = 0,
    .unit_words = 0,
    .table_units = 1,
    .entries = 0,
    .step = 1,
    .base = 0,
};
static void layer_2(void) {
    ear_fully_connected_s8(&l2_params, &l2_scales, (const int8_t *)(void *)(arena + 0), &l2_weights, NULL, NULL, (int8_t *)(void *)(arena + 16));
}

/* 3: SOFTMAX [1, 4] -> [1, 4], scores */
static const int32_t l3_exps[249] = {
    2147483647, 1943123572, 1758210936, 1590894991, 1439501330, 1302515042, 1178564005, 1066408839,
    964926574, 873101692, 790014891, 714835203, 646809647, 585257551, 529562937, 479168253,
    433569460, 392309882, 354976644, 321196158, 290630233, 262973171, 237947968, 215304218,
    194815315, 176276147, 159501289, 144322738, 130588608, 118161461, 106916886, 96742422, 87536164,
    79205994, 71668548, 64848369, 58677244, 53093367, 48040863, 43469172, 39332524, 35589548,
    32202755, 29138256, 26365385, 23856382, 21586151, 19531958, 17673246, 15991414, 14469627,
    13092663, 11846731, 10719365, 9699283, 8776272, 7941101, 7185406, 6501624, 5882912, 5323078,
    4816521, 4358169, 3943434, 3568167, 3228610, 2921368, 2643363, 2391814, 2164203, 1958251,
    1771899, 1603281, 1450708, 1312655, 1187739, 1074711, 972439, 879899, 796166, 720401, 651846,
    589814, 533686, 482899, 436945, 395364, 357741, 323697, 292893, 265021, 239801, 216981, 196332,
    177649, 160743, 145446, 131605, 119081, 107749, 97496, 88218, 79823, 72227, 65353, 59134, 53507,
    48415, 43808, 39639, 35867, 32453, 29365, 26571, 24042, 21754, 19684, 17811, 16116, 14582,
    13195, 11939, 10803, 9775, 8845, 8003, 7241, 6552, 5929, 5365, 4854, 4392, 3974, 3596, 3254,
    2944, 2664, 2410, 2181, 1973, 1786, 1616, 1462, 1323, 1197, 1083, 980, 887, 802, 726, 657, 594,
    538, 487, 440, 398, 361, 326, 295, 267, 242, 219, 198, 179, 162, 147, 133, 120, 109, 98, 89, 81,
    73, 66, 60, 54, 49, 44, 40, 36, 33, 30, 27, 24, 22, 20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 7,
    6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
static const ear_softmax_t l3_params = {
    .exps = l3_exps,
    .count = 249,
    .rows = 1,
    .depth = 4,
};
static void layer_3(void) {
    ear_softmax_s8(&l3_params, (const int8_t *)(void *)(arena + 16), (int8_t *)(void *)(arena + 16));
}

static void (*const layer_calls[EAR_MODEL_LAYERS])(void) = {
    layer_0,
    layer_1,
    layer_2,
    layer_3,
};

static const uint32_t output_offsets[EAR_MODEL_LAYERS] = {
    144,
    0,
    16,
    16,
};

static const ear_tensor_t layer_outputs[EAR_MODEL_LAYERS] = {
    {48, EAR_TYPE_INT8},
    {4, EAR_TYPE_INT8},
    {4, EAR_TYPE_INT8},
    {4, EAR_TYPE_INT8},
};

static const char *const labels[EAR_MODEL_LABELS] = {
    "_silence_",
    "_unknown_",
    "yes",
    "no",
};

const ear_model_info_t ear_model_info = {
    .name = "tiny",
    .hash = {0xe5, 0x80, 0x77, 0xab, 0xd3, 0x70, 0xb3, 0xf7},
    .engine = "ear",
    .labels = labels,
    .label_count = EAR_MODEL_LABELS,
    .layer_count = EAR_MODEL_LAYERS,
    .layers = layer_outputs,
    .input = {48, EAR_TYPE_INT8},
    .output = {4, EAR_TYPE_INT8},
    .arena_bytes = EAR_MODEL_ARENA_BYTES,
    .state_bytes = EAR_MODEL_STATE_BYTES,
};

void ear_model_reset(void) {
}

ear_status_t ear_model_init(void) {
    ear_model_reset();
    return EAR_OK;
}

void *ear_model_input(void) {
    return arena + 160;
}

const void *ear_model_output(void) {
    return arena + 16;
}

ear_status_t ear_model_invoke(const ear_observer_t *observer) {
    for (uint32_t layer = 0; layer < EAR_MODEL_LAYERS; ++layer) {
        layer_calls[layer]();
        if (observer != NULL &&
            observer->after_layer(observer->user, layer, arena + output_offsets[layer])) {
            break;
        }
    }
    return EAR_OK;
}
