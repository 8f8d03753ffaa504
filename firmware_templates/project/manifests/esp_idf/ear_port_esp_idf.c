/* The port on ESP-IDF: the line is UART 0 with its driver, the clock esp_timer's microseconds. */
#include "driver/uart.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "board_config.h"
#include "port.h"

#define LINE UART_NUM_0

void ear_port_init(void) {
    const uart_config_t settings = {
        .baud_rate = EAR_PORT_BAUD,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    (void)uart_driver_install(LINE, EAR_PORT_RX_BYTES, 0, 0, NULL, 0);
    (void)uart_param_config(LINE, &settings);
}

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    const int count = uart_read_bytes(LINE, bytes, (uint32_t)capacity, 0);
    return count > 0 ? (size_t)count : 0u;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    (void)uart_write_bytes(LINE, bytes, count);
}

uint32_t ear_port_ticks(void) {
    return (uint32_t)esp_timer_get_time();
}

void ear_port_idle(void) {
    size_t waiting = 0;
    if (uart_get_buffered_data_len(LINE, &waiting) != ESP_OK || waiting == 0u) {
        vTaskDelay(1);
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
