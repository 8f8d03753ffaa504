#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
typedef int uart_port_t;

#define ESP_OK 0
#define UART_NUM_0 0

enum { UART_DATA_8_BITS = 3 };
enum { UART_PARITY_DISABLE = 0 };
enum { UART_STOP_BITS_1 = 1 };
enum { UART_HW_FLOWCTRL_DISABLE = 0 };
enum { UART_SCLK_DEFAULT = 4 };

typedef struct {
    int baud_rate, data_bits, parity, stop_bits, flow_ctrl, source_clk;
} uart_config_t;

esp_err_t uart_driver_install(
    uart_port_t port, int rx_bytes, int tx_bytes, int queue_size, void *queue, int flags);
esp_err_t uart_param_config(uart_port_t port, const uart_config_t *settings);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t capacity, uint32_t ticks);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t count);
esp_err_t uart_get_buffered_data_len(uart_port_t port, size_t *count);
