/* The interrupt comes when the program waits for it, or looks. */
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include "../line.h"

const struct device stub_console = {0};
static uart_irq_callback_user_data_t handler;
static int byte = -1;

int uart_irq_callback_user_data_set(
    const struct device *device, uart_irq_callback_user_data_t callback, void *user) {
    (void)device;
    (void)user;
    handler = callback;
    return 0;
}

void uart_irq_rx_enable(const struct device *device) {
    (void)device;
}

int uart_irq_update(const struct device *device) {
    (void)device;
    return 1;
}

int uart_irq_rx_ready(const struct device *device) {
    (void)device;
    if (byte < 0) {
        byte = line_take(0);
    }
    return byte >= 0;
}

int uart_fifo_read(const struct device *device, uint8_t *bytes, const int capacity) {
    if (capacity < 1 || !uart_irq_rx_ready(device)) {
        return 0;
    }
    *bytes = (uint8_t)byte;
    byte = -1;
    return 1;
}

void uart_poll_out(const struct device *device, unsigned char value) {
    (void)device;
    line_give(&value, 1);
}

uint32_t ring_buf_put(struct ring_buf *ring, const uint8_t *bytes, uint32_t count) {
    uint32_t put = 0;
    while (put < count && ring->count < ring->size) {
        ring->bytes[(ring->first + ring->count++) % ring->size] = bytes[put++];
    }
    return put;
}

uint32_t ring_buf_get(struct ring_buf *ring, uint8_t *bytes, uint32_t count) {
    uint32_t got = 0;
    while (got < count && ring->count > 0u) {
        bytes[got++] = ring->bytes[ring->first];
        ring->first = (ring->first + 1u) % ring->size;
        ring->count--;
    }
    return got;
}

bool ring_buf_is_empty(struct ring_buf *ring) {
    return ring->count == 0u;
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout) {
    if (byte < 0) {
        byte = line_take(timeout.ms);
    }
    if (byte >= 0) {
        handler(&stub_console, NULL);
    }
    const int taken = sem->count > 0u ? 0 : -1;
    sem->count = 0;
    return taken;
}

void k_sem_give(struct k_sem *sem) {
    sem->count = sem->limit;
}

uint32_t k_cycle_get_32(void) {
    return (uint32_t)line_us();
}

unsigned int irq_lock(void) {
    return 0;
}

void irq_unlock(unsigned int key) {
    (void)key;
}
