#include "driver/uart.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "../line.h"

void app_main(void);

static int next = -1;

esp_err_t uart_driver_install(
    uart_port_t port, int rx_bytes, int tx_bytes, int queue_size, void *queue, int flags) {
    (void)tx_bytes;
    (void)queue_size;
    (void)queue;
    (void)flags;
    return port == UART_NUM_0 && rx_bytes > 128 ? ESP_OK : -1;
}

esp_err_t uart_param_config(uart_port_t port, const uart_config_t *settings) {
    return port == UART_NUM_0 && settings->baud_rate > 0 ? ESP_OK : -1;
}

int uart_read_bytes(uart_port_t port, void *bytes, uint32_t capacity, uint32_t ticks) {
    (void)port;
    (void)ticks;
    uint32_t count = 0;
    while (count < capacity) {
        const int byte = next >= 0 ? next : line_take(0);
        next = -1;
        if (byte < 0) {
            break;
        }
        ((uint8_t *)bytes)[count++] = (uint8_t)byte;
    }
    return (int)count;
}

int uart_write_bytes(uart_port_t port, const void *bytes, size_t count) {
    (void)port;
    line_give(bytes, count);
    return (int)count;
}

esp_err_t uart_get_buffered_data_len(uart_port_t port, size_t *count) {
    (void)port;
    *count = next >= 0;
    return ESP_OK;
}

int64_t esp_timer_get_time(void) {
    return (int64_t)line_us();
}

void vTaskDelay(uint32_t ticks) {
    if (next < 0) {
        next = line_take((int)ticks * 10);
    }
}

int main(void) {
    app_main();
    return 1;
}
