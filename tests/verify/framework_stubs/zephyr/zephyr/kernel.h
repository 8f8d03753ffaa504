#pragma once
#include <stddef.h>
#include <stdint.h>

struct k_sem {
    unsigned int count, limit;
};

typedef struct {
    int ms;
} k_timeout_t;

#define K_MSEC(ms) ((k_timeout_t){ms})
#define K_SEM_DEFINE(name, initial, most) struct k_sem name = {initial, most}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);
uint32_t k_cycle_get_32(void);
unsigned int irq_lock(void);
void irq_unlock(unsigned int key);
