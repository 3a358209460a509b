// uWebSockets with the least application that answers the bench's load: a peer to be measured beside the server.
//
// It is no part of Spanwire. README.md of the bench says how to build it; the library is that of the Python package
// `socketify`, which is uWebSockets behind a C interface, on libuv. The declarations are those of that interface.
//
// As in the floor, commands are recognised by their shape. What is subscribed to and published is left to uWebSockets.

#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct uws_app_s uws_app_t;
typedef struct uws_websocket_s uws_websocket_t;
typedef enum { TEXT = 1 } uws_opcode_t;

typedef struct {
    const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
    int ssl_prefer_low_memory_usage;
} us_socket_context_options_t;

typedef struct {
    int port;
    const char *host;
    int options;
} uws_app_listen_config_t;

typedef struct {
    int compression;
    unsigned int maxPayloadLength;
    unsigned short idleTimeout;
    unsigned int maxBackpressure;
    bool closeOnBackpressureLimit, resetIdleTimeoutOnSend, sendPingsAutomatically;
    unsigned short maxLifetime;
    void *upgrade, *open;
    void (*message)(uws_websocket_t *, const char *, size_t, uws_opcode_t, void *);
    void *drain, *ping, *pong, *close, *subscription;
} uws_socket_behavior_t;

typedef struct socketify_loop socketify_loop;
socketify_loop *socketify_create_loop(void);
void *socketify_get_native_loop(socketify_loop *);
int socketify_loop_run(socketify_loop *, int mode);
void *uws_get_loop_with_native(void *);
uws_app_t *uws_create_app(int ssl, us_socket_context_options_t);
void uws_ws(int ssl, uws_app_t *, const char *pattern, uws_socket_behavior_t, void *user);
void uws_app_listen_with_config(int ssl, uws_app_t *, uws_app_listen_config_t, void (*)(void *, uws_app_listen_config_t, void *), void *);
bool uws_publish(int ssl, uws_app_t *, const char *, size_t, const char *, size_t, uws_opcode_t, bool);
int uws_ws_send(int ssl, uws_websocket_t *, const char *, size_t, uws_opcode_t);
bool uws_ws_subscribe(int ssl, uws_websocket_t *, const char *, size_t);

static const char TAIL[] = ",\"info\":{\"user\":\"\",\"client\":\"00000000-0000-4000-8000-000000000000\"}}}}";

static uws_app_t *app;

// What stands behind `key` in `text`; null if the load does not say that.
static const char *after(const char *text, const char *end, const char *key) {
    const char *at = memmem(text, end - text, key, strlen(key));
    return at ? at + strlen(key) : NULL;
}

// The id and the method of the command, with an empty result.
static void reply(uws_websocket_t *ws, const char *command, const char *method) {
    char out[128];
    const char *comma = strchr(command, ',');
    int length = snprintf(out, sizeof out, "%.*s,\"%s\":{}}", (int)(comma - command), command, method);
    uws_ws_send(0, ws, out, length, TEXT);
}

static void message(uws_websocket_t *ws, const char *command, size_t length, uws_opcode_t opcode, void *user) {
    static char out[1 << 18];
    const char *end = command + length, *comma = memchr(command, ',', length);
    const char *channel = after(command, end, "\"channel\":\""), *stop = NULL;
    if (channel) stop = memchr(channel, '"', end - channel);
    if (!comma) return;
    if (!strncmp(comma, ",\"connect\"", 10)) {
        reply(ws, command, "connect");
    } else if (stop && !strncmp(comma, ",\"subscribe\"", 12)) {
        uws_ws_subscribe(0, ws, channel, stop - channel);
        reply(ws, command, "subscribe");
    } else if (stop && !strncmp(comma, ",\"publish\"", 10)) {
        const char *data = after(stop, end, "\"data\":");
        int pushed = snprintf(out, sizeof out, "{\"push\":{\"channel\":\"%.*s\",\"pub\":{\"data\":%.*s%s",
                              (int)(stop - channel), channel, (int)(end - 2 - data), data, TAIL);
        reply(ws, command, "publish");
        uws_publish(0, app, channel, stop - channel, out, pushed, TEXT, false);
    }
}

static void listening(void *socket, uws_app_listen_config_t config, void *user) {
    puts(socket ? "ready" : "cannot listen");
    fflush(stdout);
    if (!socket) exit(1);
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: %s HOST PORT\n", arguments[0]), 2;
    socketify_loop *loop = socketify_create_loop();
    uws_get_loop_with_native(socketify_get_native_loop(loop));
    app = uws_create_app(0, (us_socket_context_options_t){0});
    uws_socket_behavior_t behavior = {
        .maxPayloadLength = 1 << 20, .idleTimeout = 120, .maxBackpressure = 64 << 20, .message = message};
    uws_ws(0, app, "/*", behavior, NULL);
    uws_app_listen_with_config(0, app, (uws_app_listen_config_t){atoi(arguments[2]), arguments[1], 0}, listening, NULL);
    return socketify_loop_run(loop, 0);
}
