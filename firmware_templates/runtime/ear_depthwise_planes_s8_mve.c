#include "ear_kernels_mve.h"

#include "ear_mve.h"

enum { MOST = 5 }; /* outputs of a step */

/* What a channel's sums are made from: its weights as each output of a step meets them. */
typedef struct {
    int8_t weights[MOST][EAR_MVE_BYTES];
    int32_t biases[MOST];
} channel_t;

#if EAR_MVE

static inline void take_channel(const ear_planes_mve_t *params, const int8_t *weights,
                                int32_t bias, channel_t *channel)
{
    const int8_t *lanes = params->lanes;
    int8_t *own = channel->weights[0];
    int32_t *biases = channel->biases;
    int32_t sum;
    int32_t biased;
    __asm__ volatile("dls lr, %[most]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[lanes]], #16\n\t"
                     "vpt.s8 ge, q0, zr\n\t"
                     "vldrbt.u8 q1, [%[weights], q0]\n\t"
                     "vaddv.s8 %[sum], q1\n\t"
                     "vstrb.8 q1, [%[own]], #16\n\t"
                     "mls %[biased], %[sum], %[zero_point], %[bias]\n\t"
                     "str %[biased], [%[biases]], #4\n\t"
                     "le lr, 1b"
                     : [lanes] "+r"(lanes), [own] "+r"(own), [biases] "+r"(biases),
                       [sum] "=&Te"(sum), [biased] "=&r"(biased)
                     : [weights] "r"(weights), [zero_point] "r"(params->input_zero_point),
                       [bias] "r"(bias), [most] "r"(MOST)
                     : "lr", "q0", "q1", "cc", "memory");
}

static inline void gather_run(const int8_t *from, int32_t channels, int32_t count, int8_t *to)
{
    const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)channels);
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.u16 q0, [%[from], %q[places]]\n\t"
                     "add %[from], %[from], %[step]\n\t"
                     "vstrb.16 q0, [%[to]], #8\n\t"
                     "letp lr, 1b"
                     : [from] "+r"(from), [to] "+l"(to)
                     : [count] "r"(count), [places] "w"(places), [step] "r"(8 * channels)
                     : "lr", "q0", "memory");
}

/* The sums of a line, five outputs a step. */
static inline void sums_of_line(const ear_planes_mve_t *params, const channel_t *channel,
                                const int8_t *plane, int32_t *sums)
{
    __asm__ volatile("vldrb.8 q1, [%[weights]]\n\t"
                     "vldrb.8 q2, [%[weights], #16]\n\t"
                     "vldrb.8 q3, [%[weights], #32]\n\t"
                     "vldrb.8 q4, [%[weights], #48]\n\t"
                     "vldrb.8 q5, [%[weights], #64]\n\t"
                     "dls lr, %[steps]\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[plane]]\n\t"
                     "ldm %[biases], {r2, r4, r6, r8, r10}\n\t"
                     "vmladava.s8 r2, q0, q1\n\t"
                     "vmladava.s8 r4, q0, q2\n\t"
                     "vmladava.s8 r6, q0, q3\n\t"
                     "vmladava.s8 r8, q0, q4\n\t"
                     "vmladava.s8 r10, q0, q5\n\t"
                     "add %[plane], %[plane], %[step]\n\t"
                     "stm %[sums], {r2, r4, r6, r8, r10}\n\t"
                     "add %[sums], %[sums], %[made]\n\t"
                     "le lr, 1b"
                     : [plane] "+r"(plane), [sums] "+r"(sums)
                     : [weights] "r"(channel->weights[0]), [biases] "r"(channel->biases),
                       [steps] "r"(params->steps), [step] "r"(params->step),
                       [made] "r"(4 * params->group)
                     : "lr", "r2", "r4", "r6", "r8", "r10", "q0", "q1", "q2", "q3", "q4", "q5",
                       "memory");
}

/* Those of several lines, up to three outputs a step from what lies in the window. Not inline: the
 * registers that it takes are missed around it. */
__attribute__((noinline)) static void sums_of_lines(const ear_planes_mve_t *params,
                                                    const channel_t *channel,
                                                    const int8_t *plane, int32_t *sums)
{
    int32_t lines = params->band;
    __asm__ volatile("1:\n\t"
                     "dls lr, %[steps]\n"
                     "2:\n\t"
                     "vldrb.u8 q0, [%[plane], %q[window]]\n\t"
                     "ldm %[biases], {r2, r4, r6}\n\t"
                     "vmladava.s8 r2, q0, %q[weights0]\n\t"
                     "vmladava.s8 r4, q0, %q[weights1]\n\t"
                     "vmladava.s8 r6, q0, %q[weights2]\n\t"
                     "add %[plane], %[plane], %[step]\n\t"
                     "stm %[sums], {r2, r4, r6}\n\t"
                     "add %[sums], %[sums], %[made]\n\t"
                     "le lr, 2b\n\t"
                     "add %[plane], %[plane], %[to_line]\n\t"
                     "add %[sums], %[sums], %[to_sums]\n\t"
                     "subs %[lines], %[lines], #1\n\t"
                     "bne 1b"
                     : [plane] "+r"(plane), [sums] "+r"(sums), [lines] "+r"(lines)
                     : [weights0] "w"(vldrbq_s8(channel->weights[0])),
                       [weights1] "w"(vldrbq_s8(channel->weights[1])),
                       [weights2] "w"(vldrbq_s8(channel->weights[2])),
                       [window] "w"(vldrbq_u8(params->window)), [biases] "r"(channel->biases),
                       [steps] "r"(params->steps), [step] "r"(params->step),
                       [made] "r"(4 * params->group),
                       [to_line] "r"(params->line - params->steps * params->step),
                       [to_sums] "r"(4 * (params->columns - params->steps * params->group))
                     : "lr", "r2", "r4", "r6", "q0", "cc", "memory");
}

/* Eight outputs from the sums, `rounds` times: lanes of even number are the first four. */
static inline void finish_eights(const ear_planes_mve_t *params, int32_t multiplier,
                                 int32_t shift, const int32_t *sums, int32_t rounds,
                                 int8_t *output)
{
    static const uint16_t order[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    const uint16x8_t places =
        vmulq_n_u16(vldrhq_u16(order), (uint16_t)params->channels);
    const int16x8_t low = vdupq_n_s16((int16_t)params->output_min);
    const int16x8_t high = vdupq_n_s16((int16_t)params->output_max);
    if (params->positive) {
        __asm__ volatile("dls lr, %[rounds]\n"
                         "1:\n\t"
                         "vldrw.32 q0, [%[sums]], #16\n\t"
                         "vqrdmulh.s32 q0, q0, %[multiplier]\n\t"
                         "vldrw.32 q1, [%[sums]], #16\n\t"
                         "vqrdmulh.s32 q1, q1, %[multiplier]\n\t"
                         "vrshl.s32 q0, %[shift]\n\t"
                         "vrshl.s32 q1, %[shift]\n\t"
                         "vqmovnb.s32 q2, q0\n\t"
                         "vqmovnt.s32 q2, q1\n\t"
                         "vqadd.s16 q2, q2, %[zero_point]\n\t"
                         "vmax.s16 q2, q2, %q[low]\n\t"
                         "vmin.s16 q2, q2, %q[high]\n\t"
                         "vstrb.16 q2, [%[output], %q[places]]\n\t"
                         "add %[output], %[output], %[step]\n\t"
                         "le lr, 1b"
                         : [sums] "+r"(sums), [output] "+r"(output)
                         : [rounds] "r"(rounds), [multiplier] "r"(multiplier), [shift] "r"(shift),
                           [zero_point] "r"(params->output_offset), [low] "w"(low),
                           [high] "w"(high), [places] "w"(places), [step] "r"(8 * params->channels)
                         : "lr", "q0", "q1", "q2", "memory");
        return;
    }
    /* Shifts round half up: one less makes it half away from zero where the number is negative. */
    __asm__ volatile("dls lr, %[rounds]\n"
                     "1:\n\t"
                     "vldrw.32 q0, [%[sums]], #16\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier]\n\t"
                     "vldrw.32 q1, [%[sums]], #16\n\t"
                     "vqrdmulh.s32 q1, q1, %[multiplier]\n\t"
                     "vshr.s32 q2, q0, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vrshl.s32 q0, %[shift]\n\t"
                     "vshr.s32 q3, q1, #31\n\t"
                     "vadd.i32 q1, q1, q3\n\t"
                     "vrshl.s32 q1, %[shift]\n\t"
                     "vqmovnb.s32 q2, q0\n\t"
                     "vqmovnt.s32 q2, q1\n\t"
                     "vqadd.s16 q2, q2, %[zero_point]\n\t"
                     "vmax.s16 q2, q2, %q[low]\n\t"
                     "vmin.s16 q2, q2, %q[high]\n\t"
                     "vstrb.16 q2, [%[output], %q[places]]\n\t"
                     "add %[output], %[output], %[step]\n\t"
                     "le lr, 1b"
                     : [sums] "+r"(sums), [output] "+r"(output)
                     : [rounds] "r"(rounds), [multiplier] "r"(multiplier), [shift] "r"(shift),
                       [zero_point] "r"(params->output_offset), [low] "w"(low), [high] "w"(high),
                       [places] "w"(places), [step] "r"(8 * params->channels)
                     : "lr", "q0", "q1", "q2", "q3", "memory");
}

/* The last eight may be made twice. */
static void finish(const ear_planes_mve_t *params, int32_t multiplier, int32_t shift,
                   const int32_t *sums, int32_t count, int8_t *output)
{
    finish_eights(params, multiplier, shift, sums, count / 8, output);
    if (count % 8 != 0) {
        finish_eights(params, multiplier, shift, sums + count - 8, 1,
                      output + (count - 8) * params->channels);
    }
}

#else

static void take_channel(const ear_planes_mve_t *params, const int8_t *weights, int32_t bias,
                         channel_t *channel)
{
    for (int32_t i = 0; i < MOST; ++i) {
        int32_t sum = 0;
        for (int32_t k = 0; k < EAR_MVE_BYTES; ++k) {
            const int32_t lane = params->lanes[EAR_MVE_BYTES * i + k];
            channel->weights[i][k] = lane < 0 ? 0 : weights[lane];
            sum += channel->weights[i][k];
        }
        channel->biases[i] = ear_wrapping_sum(bias, -params->input_zero_point * sum);
    }
}

static void gather_run(const int8_t *from, int32_t channels, int32_t count, int8_t *to)
{
    for (int32_t i = 0; i < count; ++i) {
        to[i] = from[i * channels];
    }
}

static void sums_of_line(const ear_planes_mve_t *params, const channel_t *channel,
                         const int8_t *plane, int32_t *sums)
{
    for (int32_t step = 0; step < params->steps; ++step) {
        for (int32_t i = 0; i < params->group; ++i) {
            int32_t sum = 0;
            for (int32_t k = 0; k < EAR_MVE_BYTES; ++k) {
                const int32_t place = params->is_run ? k : params->window[k];
                sum += channel->weights[i][k] * plane[place];
            }
            sums[i] = ear_wrapping_sum(channel->biases[i], sum);
        }
        plane += params->step;
        sums += params->group;
    }
}

static void finish(const ear_planes_mve_t *params, int32_t multiplier, int32_t shift,
                   const int32_t *sums, int32_t count, int8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i * params->channels] =
            (int8_t)ear_scale_to(sums[i], multiplier, shift, params->output_offset,
                                 params->output_min, params->output_max);
    }
}

#endif

static void sums_of_band(const ear_planes_mve_t *params, const channel_t *channel,
                         const int8_t *plane, int32_t *sums)
{
#if EAR_MVE
    if (!params->is_run) {
        sums_of_lines(params, channel, plane, sums);
        return;
    }
#endif
    for (int32_t i = 0; i < params->band; ++i) {
        sums_of_line(params, channel, plane, sums);
        plane += params->line;
        sums += params->columns;
    }
}

/* The inside of a plane, all that the filter meets of a channel. */
static void gather(const ear_planes_mve_t *params, const int8_t *input, int8_t *plane)
{
    const int32_t channels = params->channels / params->depth_multiplier;
    plane += params->inside;
    for (int32_t i = 0; i < params->runs; ++i) {
        gather_run(input, channels, params->run, plane);
        input += params->input_line * channels;
        plane += params->plane_line;
    }
}

static void convolve(const ear_planes_mve_t *params, const channel_t *channel, int32_t multiplier,
                     int32_t shift, const int8_t *plane, int32_t *sums, int8_t *output)
{
    for (int32_t line = 0; line < params->lines; line += params->band) {
        const int32_t last = params->lines - params->band;
        const int32_t first = line < last ? line : last;
        sums_of_band(params, channel, plane + first * params->line, sums);
        finish(params, multiplier, shift, sums, params->band * params->columns,
               output + first * params->columns * params->channels);
    }
}

void ear_depthwise_planes_s8_mve(const ear_planes_mve_t *params, const ear_scales_t *scales,
                                 const int8_t *input, const ear_weights_t *filter,
                                 int8_t *scratch, const int32_t *bias, int8_t *output)
{
    const int32_t channels = params->channels;
    const int32_t step = ear_weights_block(filter, channels);
    int32_t *const sums = (int32_t *)(void *)(scratch + params->plane_bytes);
    int8_t *const room = scratch + params->plane_bytes + params->sums_bytes;
    ear_mve_fill(scratch, (int8_t)params->input_zero_point, params->plane_bytes);
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const int8_t *weights = ear_weights_rows(filter, params->taps, first, count, room);
        for (int32_t o = first; o < first + count; ++o, weights += params->taps) {
            channel_t channel;
            take_channel(params, weights, bias[o], &channel);
            const int8_t *from = input + o / params->depth_multiplier;
            int8_t *to = output + o;
            for (int32_t n = 0; n < params->images; ++n) {
                gather(params, from, scratch);
                convolve(params, &channel, scales->multipliers[o], scales->shifts[o], scratch,
                         sums, to);
                from += params->input_image;
                to += params->lines * params->columns * channels;
            }
        }
    }
}
