/* The port on Zephyr: the line is the UART that the devicetree chose as console, interrupt-driven;
 * the clock is the kernel's cycle counter. */
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include "board_config.h"
#include "port.h"

#define IDLE_MS 10

RING_BUF_DECLARE(received, EAR_PORT_RX_BYTES);
K_SEM_DEFINE(arrived, 0, 1);

static const struct device *const line = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));

static void take(const struct device *device, void *user) {
    (void)user;
    while (uart_irq_update(device) && uart_irq_rx_ready(device)) {
        uint8_t byte;
        if (uart_fifo_read(device, &byte, 1) != 1) {
            break;
        }
        (void)ring_buf_put(&received, &byte, 1);
        k_sem_give(&arrived);
    }
}

void ear_port_init(void) {
    if (device_is_ready(line)) {
        (void)uart_irq_callback_user_data_set(line, take, NULL);
        uart_irq_rx_enable(line);
    }
}

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    const unsigned int key = irq_lock();
    const size_t count = ring_buf_get(&received, bytes, (uint32_t)capacity);
    irq_unlock(key);
    return count;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uart_poll_out(line, bytes[i]);
    }
}

uint32_t ear_port_ticks(void) {
    return k_cycle_get_32();
}

void ear_port_idle(void) {
    if (ring_buf_is_empty(&received)) {
        (void)k_sem_take(&arrived, K_MSEC(IDLE_MS));
    }
}

/* The only line is the protocol's. */
void ear_port_say(const char *text) {
    (void)text;
}

bool ear_port_running(void) {
    return true;
}

size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    (void)samples;
    (void)capacity;
    return 0;
}
