// SPDX-License-Identifier: ISC
/* evhttp on a socket of ours: it gets the descriptor after bind, so that errors name the
 * address, and nothing is resolved while the gate runs. */
#include "admin/http.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_S        5
#define MAX_HEADER_BYTES 8192
#define MAX_BODY_BYTES   1024
#define BACKLOG          32

struct adm_http {
    struct evhttp *http; /* owned; owns the socket */
    struct adm_http_ops ops;
    struct net_addr addr;
};

static void
reply(struct evhttp_request *req, int status, const char *reason, const char *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    if (!body) {
        evhttp_send_error(req, HTTP_INTERNAL, NULL);
        return;
    }
    evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evbuffer_add_printf(body, "%s\n", text);
    evhttp_send_reply(req, status, reason, body);
    evbuffer_free(body);
}

static void
on_livez(struct evhttp_request *req, void *ctx)
{
    (void)ctx;
    reply(req, HTTP_OK, "OK", "alive");
}

static void
on_readyz(struct evhttp_request *req, void *ctx)
{
    struct adm_http *h = ctx;
    const char *why = "ready";
    if (h->ops.is_ready(h->ops.ctx, &why))
        reply(req, HTTP_OK, "OK", why);
    else
        reply(req, HTTP_SERVUNAVAIL, "Service Unavailable", why);
}

/* "host:port" with an address as host. */
static int
parse_listen(const char *listen, struct net_addr *out, struct err *err)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || colon == listen || !colon[1])
        return err_set(err, -EINVAL,
            "http_listen = %.100s: write an address and a port, such as 127.0.0.1:9127",
            listen);
    bool is_bracketed = *listen == '[' && colon[-1] == ']';
    size_t n = (size_t)(colon - listen);
    AUTO(mem_free)
    char *host = is_bracketed ? mem_strndup(listen + 1, n - 2) : mem_strndup(listen, n);
    struct err reason = { "" };
    if (!net_is_numeric(host) || host[0] == '/')
        return err_set(err, -EINVAL,
            "http_listen = %.100s: write an address and a port, such as 127.0.0.1:9127",
            listen);
    int found = net_resolve(host, colon + 1, true, out, 1, &reason);
    return found < 0 ? err_set(err, found, "http_listen: %s", reason.text) : 0;
}

static int
open_socket(struct net_addr *addr, struct err *err)
{
    int on = 1;
    int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
        && bind(fd, (const struct sockaddr *)&addr->ss, addr->len) == 0
        && listen(fd, BACKLOG) == 0
        && getsockname(fd, (struct sockaddr *)&addr->ss, &addr->len) == 0)
        return fd;
    int saved = errno;
    char text[NET_ADDR_TEXT_SIZE];
    if (fd >= 0)
        close(fd);
    net_addr_text(addr, text);
    return err_set(
        err, -saved, "http_listen: cannot listen on %s: %s", text, strerror(saved));
}

int
adm_http_new(struct net_loop *loop, const char *listen, const struct adm_http_ops *ops,
    struct adm_http **out, struct err *err)
{
    struct net_addr addr;
    int r = parse_listen(listen, &addr, err);
    if (r)
        return r;
    int fd = open_socket(&addr, err);
    if (fd < 0)
        return fd;
    struct adm_http *h = mem_zalloc(sizeof(*h));
    h->ops = *ops;
    h->addr = addr;
    h->http = evhttp_new(net_loop_base(loop));
    if (!h->http || evhttp_accept_socket(h->http, fd) != 0) {
        close(fd);
        adm_http_free(h);
        return err_set(err, -ENOMEM, "http_listen: no memory");
    }
    evhttp_set_timeout(h->http, TIMEOUT_S);
    evhttp_set_max_headers_size(h->http, MAX_HEADER_BYTES);
    evhttp_set_max_body_size(h->http, MAX_BODY_BYTES);
    evhttp_set_allowed_methods(h->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_cb(h->http, "/livez", on_livez, h);
    evhttp_set_cb(h->http, "/readyz", on_readyz, h);
    *out = h;
    return 0;
}

const struct net_addr *
adm_http_addr(const struct adm_http *h)
{
    return &h->addr;
}

void
adm_http_free(struct adm_http *h)
{
    if (!h)
        return;
    if (h->http)
        evhttp_free(h->http);
    mem_free(h);
}
