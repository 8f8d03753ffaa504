/* A Linux program as the board: the protocol on stdin and stdout, a serial device or TCP. */
#define _DEFAULT_SOURCE /* cfmakeraw and the faster baud rates, under -std=c11 */

#include "port_linux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "board_config.h"
#include "port.h"

#define NANOSECONDS 1000000000u
#define IDLE_MS 200
#define EXIT_USAGE 2
#define EXIT_LINE 4

_Static_assert(NANOSECONDS % EAR_PORT_TICKS_HZ == 0u, "ticks are whole nanoseconds");

static const char usage[] =
    "usage: %s [--port DEVICE [--baud RATE] | --listen [ADDRESS:]PORT] [--microphone FILE|-]\n"
    "Speaks edgeasr's protocol on stdin and stdout, on a serial device, or to one TCP client\n"
    "after another (on 127.0.0.1 unless an address is given; port 0 takes any free one).\n"
    "The microphone is 16-bit little-endian mono PCM at the model's rate in a FIFO, or in the\n"
    "standard input (-): arecord -q -t raw -f S16_LE -c 1 -r 16000 | %s --listen 4321 "
    "--microphone -\n";

static const struct {
    unsigned long rate;
    speed_t speed;
} speeds[] = {
    {9600, B9600},     {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200}, {230400, B230400},   {460800, B460800},   {921600, B921600},
    {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000},
};

static const char *device;
static const char *listen_at;
static const char *microphone;
static speed_t device_speed = B921600;

static int in_fd = STDIN_FILENO;
static int out_fd = STDOUT_FILENO;
static int listener = -1;
static bool running = true;

static int microphone_fd = -1;
static bool microphone_heard; /* it is asked for, and gave something: its next samples wake */
static bool half_held;        /* the first byte of a sample came, and is `half` */
static uint8_t half;

static _Noreturn void stop(const char *what, const char *name) {
    (void)fprintf(stderr, "%s %s: %s\n", what, name, strerror(errno));
    exit(EXIT_LINE);
}

static bool choose_speed(const char *text) {
    char *end = NULL;
    unsigned long rate = strtoul(text, &end, 10);
    for (size_t i = 0; *end == '\0' && i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].rate == rate) {
            device_speed = speeds[i].speed;
            return true;
        }
    }
    (void)fprintf(stderr, "baud rate %s is not known; allowed:", text);
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        (void)fprintf(stderr, " %lu", speeds[i].rate);
    }
    (void)fprintf(stderr, "\n");
    return false;
}

static bool microphone_is_stdin(void) {
    return microphone != NULL && strcmp(microphone, "-") == 0;
}

bool ear_port_arguments(int argc, char **argv, int *exit_code) {
    *exit_code = EXIT_USAGE;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--help") == 0) {
            (void)printf(usage, argv[0], argv[0]);
            *exit_code = 0;
            return false;
        }
        if (strcmp(argv[i], "--port") == 0 && value != NULL) {
            device = value;
        } else if (strcmp(argv[i], "--listen") == 0 && value != NULL) {
            listen_at = value;
        } else if (strcmp(argv[i], "--microphone") == 0 && value != NULL) {
            microphone = value;
        } else if (strcmp(argv[i], "--baud") == 0 && value != NULL) {
            if (!choose_speed(value)) {
                return false;
            }
        } else {
            (void)fprintf(stderr, "argument %s is not understood\n", argv[i]);
            (void)fprintf(stderr, usage, argv[0], argv[0]);
            return false;
        }
    }
    if (device != NULL && listen_at != NULL) {
        (void)fprintf(stderr, "--port and --listen exclude each other\n");
        return false;
    }
    if (microphone_is_stdin() && device == NULL && listen_at == NULL) {
        (void)fprintf(stderr, "--microphone - takes the standard input, which is the line; give "
                              "another by --port or --listen\n");
        return false;
    }
    return true;
}

static void open_device(void) {
    struct termios line;
    in_fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (in_fd < 0) {
        stop("cannot open", device);
    }
    if (tcgetattr(in_fd, &line) != 0) {
        stop("no serial device:", device);
    }
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&line, device_speed) != 0 || tcsetattr(in_fd, TCSANOW, &line) != 0) {
        stop("cannot set the line of", device);
    }
    out_fd = in_fd;
}

static void open_listener(void) {
    char address[64] = "127.0.0.1";
    const char *port = listen_at;
    const char *colon = strrchr(listen_at, ':');
    if (colon != NULL && (size_t)(colon - listen_at) < sizeof address) {
        memcpy(address, listen_at, (size_t)(colon - listen_at));
        address[colon - listen_at] = '\0';
        port = colon + 1;
    }
    char *end = NULL;
    unsigned long number = strtoul(port, &end, 10);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    if (*port == '\0' || *end != '\0' || number > 65535u ||
        inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        (void)fprintf(stderr, "--listen %s is not [ADDRESS:]PORT, an IPv4 address and a number\n",
                      listen_at);
        exit(EXIT_USAGE);
    }
    int on = 1;
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) != 0) {
        stop("cannot listen on", listen_at);
    }
    (void)fprintf(stderr, "listening on %s:%u\n", address, (unsigned)ntohs(at.sin_port));
    in_fd = out_fd = -1;
}

static void accept_client(void) {
    int on = 1;
    int client = accept(listener, NULL, NULL);
    if (client < 0) {
        return; /* it went away again, or a signal came: the next look tries anew */
    }
    (void)fcntl(client, F_SETFD, FD_CLOEXEC);
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    in_fd = out_fd = client;
}

/* The other end is gone: a server waits for the next client, anything else ends. */
static void lose_line(void) {
    if (listener < 0) {
        running = false;
        return;
    }
    (void)close(in_fd);
    in_fd = out_fd = -1;
}

/* A FIFO is opened without a writer, who may come and go. */
static void open_microphone(void) {
    microphone_fd = STDIN_FILENO;
    if (!microphone_is_stdin()) {
        microphone_fd = open(microphone, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    if (microphone_fd < 0) {
        stop("cannot open the microphone", microphone);
    }
}

void ear_port_init(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    if (microphone != NULL) {
        open_microphone();
    }
    if (device != NULL) {
        open_device();
    } else if (listen_at != NULL) {
        open_listener();
    }
}

/* True when there is something to read (or to accept) within timeout_ms. */
static bool readable(int timeout_ms) {
    struct pollfd watched = {.fd = in_fd >= 0 ? in_fd : listener, .events = POLLIN};
    return poll(&watched, 1, timeout_ms) > 0;
}

/* Waits for the line, or for the microphone where somebody listens to it. */
static void wait_for_either(void) {
    struct pollfd watched[2] = {
        {.fd = in_fd >= 0 ? in_fd : listener, .events = POLLIN},
        {.fd = microphone_heard ? microphone_fd : -1, .events = POLLIN},
    };
    (void)poll(watched, 2, IDLE_MS);
    microphone_heard = false;
}

size_t ear_port_read(uint8_t *bytes, size_t capacity) {
    if (!running || capacity == 0u || !readable(0)) {
        return 0;
    }
    if (in_fd < 0) {
        accept_client();
        return 0;
    }
    ssize_t count = read(in_fd, bytes, capacity);
    if (count > 0) {
        return (size_t)count;
    }
    if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
        lose_line();
    }
    return 0;
}

void ear_port_write(const uint8_t *bytes, size_t count) {
    while (count > 0u && running && out_fd >= 0) {
        ssize_t sent = write(out_fd, bytes, count);
        if (sent >= 0) {
            bytes += sent;
            count -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd watched = {.fd = out_fd, .events = POLLOUT};
            (void)poll(&watched, 1, IDLE_MS);
        } else if (errno != EINTR) {
            lose_line();
        }
    }
}

uint32_t ear_port_ticks(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ticks = (uint64_t)now.tv_sec * EAR_PORT_TICKS_HZ +
                     (uint64_t)now.tv_nsec / (NANOSECONDS / EAR_PORT_TICKS_HZ);
    return (uint32_t)ticks;
}

void ear_port_idle(void) {
    if (running) {
        wait_for_either();
    }
}

void ear_port_say(const char *text) {
    (void)fputs(text, stderr);
}

bool ear_port_running(void) {
    return running;
}

size_t ear_port_microphone(int16_t *samples, size_t capacity) {
    uint8_t *const bytes = (uint8_t *)samples;
    struct pollfd watched = {.fd = microphone_fd, .events = POLLIN};
    if (microphone_fd < 0 || capacity == 0u || poll(&watched, 1, 0) <= 0) {
        microphone_heard = microphone_fd >= 0;
        return 0;
    }
    size_t held = 0;
    if (half_held) {
        bytes[held++] = half;
    }
    const ssize_t taken = read(microphone_fd, bytes + held, 2u * capacity - held);
    if (taken <= 0) {
        return 0; /* its writer is away: looked for again when next asked, and not waited for */
    }
    microphone_heard = true;
    held += (size_t)taken;
    half_held = held % 2u != 0u;
    half = bytes[held - 1u];
    for (size_t i = 0; i < held / 2u; i++) {
        samples[i] = (int16_t)(uint16_t)(bytes[2u * i] | (unsigned)bytes[2u * i + 1u] << 8);
    }
    return held / 2u;
}
