/* A plugin for QEMU's user mode: CLOCK_MONOTONIC tells the instructions executed so far, each as
 * `ns` nanoseconds (argument ns=N). No header of QEMU's plugin interface is packaged: what is used
 * of its version 1 is declared here. */
#define _GNU_SOURCE

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SYS_CLOCK_GETTIME 113 /* of aarch64 and every other architecture with generic numbers */
#define NANOSECONDS 1000000000u
#define MOST_SECONDS 60u /* between two looks at the clock, on a busy computer */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*tb_callback_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*syscall_callback_t)(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1,
                                   uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                   uint64_t a6, uint64_t a7, uint64_t a8);
typedef void (*syscall_return_t)(qemu_plugin_id_t id, unsigned cpu, int64_t number, int64_t result);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback_t callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
                                              void *at, uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, syscall_callback_t callback);
void qemu_plugin_register_vcpu_syscall_ret_cb(qemu_plugin_id_t id, syscall_return_t callback);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const void *info, int argc,
                                                               char **argv);

static uint64_t executed;
static uint64_t ns_each = 1;
static _Thread_local uint64_t answer_at; /* where this thread's read of the clock goes, or 0 */

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &executed,
                                             qemu_plugin_tb_n_insns(tb));
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2,
                   uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)cpu, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    answer_at = number == SYS_CLOCK_GETTIME && a1 == CLOCK_MONOTONIC ? a2 : 0;
}

static void returned(qemu_plugin_id_t id, unsigned cpu, int64_t number, int64_t result)
{
    (void)id, (void)cpu, (void)number;
    if (answer_at == 0 || result != 0) {
        return;
    }
    /* Addresses of the program are the emulator's own unless it had to move them. The kernel reads
     * and writes, so that a wrong address is an error; one that does not hold the time that was
     * just put there is wrong too. */
    uint64_t now[2] = {0, 0};
    struct timespec real;
    const struct iovec ours = {now, sizeof now};
    const struct iovec theirs = {(void *)(uintptr_t)answer_at, sizeof now};
    answer_at = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &real);
    if (process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) != (ssize_t)sizeof now ||
        (uint64_t)real.tv_sec - now[0] > MOST_SECONDS) {
        static const char why[] =
            "instruction clock: the program's addresses are not the emulator's\n";
        (void)!write(STDERR_FILENO, why, sizeof why - 1);
        _exit(EXIT_FAILURE);
    }
    const uint64_t ns = executed * ns_each;
    now[0] = ns / NANOSECONDS;
    now[1] = ns % NANOSECONDS;
    (void)process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "ns=", 3) == 0) {
            ns_each = strtoull(argv[i] + 3, NULL, 10);
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    qemu_plugin_register_vcpu_syscall_ret_cb(id, returned);
    return 0;
}
