// SPDX-License-Identifier: ISC
/* Sockets: addresses as text and in patterns, names resolved, clients accepted in bounded
 * numbers and told when descriptors run out, options set, failures named. */
#include "net/sock.h"

#include "lib/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/str.h"

static struct net_addr
addr_of(const char *host, const char *port)
{
    struct net_addr a;
    struct err err = { "" };
    ck_assert_msg(net_resolve(host, port, true, &a, 1, &err) == 1, "%s", err.text);
    return a;
}

struct text_case {
    const char *name, *host, *port, *text, *host_text;
};

static const struct text_case texts[] = {
    { "IPv4", "10.0.0.7", "51544", "10.0.0.7:51544", "10.0.0.7" },
    { "IPv6", "::1", "6432", "[::1]:6432", "::1" },
    { "longest IPv6", "1111:2222:3333:4444:5555:6666:7777:8888", "65535",
        "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
        "1111:2222:3333:4444:5555:6666:7777:8888" },
    { "unix", "/run/x", "6432", "unix:/run/x/.s.PGSQL.6432", "" },
};

START_TEST(address_reads_as_people_write_it)
{
    const struct text_case *c = &texts[_i];
    struct net_addr a = addr_of(c->host, c->port);
    char text[NET_ADDR_TEXT_SIZE];

    net_addr_text(&a, text);
    CASE_STR(c, text, c->text);
    net_addr_host(&a, text);
    CASE_STR(c, text, c->host_text);
    CASE_INT(c, net_addr_port(&a), c->host[0] == '/' ? 0 : atoi(c->port));
}
END_TEST

START_TEST(unix_address_without_a_path_is_named)
{
    struct net_addr a = { .len = sizeof(sa_family_t) };
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0abc" };
    char text[NET_ADDR_TEXT_SIZE];

    a.ss.ss_family = AF_UNIX;
    net_addr_text(&a, text);
    ck_assert_str_eq(text, "unix:");
    memcpy(&a.ss, &un, sizeof un);
    a.len = offsetof(struct sockaddr_un, sun_path) + 4;
    net_addr_text(&a, text);
    ck_assert_str_eq(text, "unix:@abc");
    memset(un.sun_path, 'x', sizeof un.sun_path); /* no NUL: the kernel allows it */
    memcpy(&a.ss, &un, sizeof un);
    a.len = sizeof un;
    net_addr_text(&a, text);
    ck_assert_uint_eq(strlen(text), 5 + sizeof un.sun_path);
}
END_TEST

struct cidr_case {
    const char *name, *addr, *cidr;
    int ret;
};

static const struct cidr_case cidrs[] = {
    { "same", "192.168.1.7", "192.168.1.7", 1 },
    { "other", "192.168.1.7", "192.168.1.8", 0 },
    { "in /8", "10.1.2.3", "10.0.0.0/8", 1 },
    { "not in /8", "11.1.2.3", "10.0.0.0/8", 0 },
    { "in /0", "11.1.2.3", "0.0.0.0/0", 1 },
    { "in /32", "10.0.0.1", "10.0.0.1/32", 1 },
    { "not in /32", "10.0.0.2", "10.0.0.1/32", 0 },
    { "first of /25", "10.0.0.127", "10.0.0.0/25", 1 },
    { "behind /25", "10.0.0.128", "10.0.0.0/25", 0 },
    { "host bits are passed over", "10.9.9.9", "10.1.2.3/8", 1 },
    { "IPv6", "::1", "::1", 1 },
    { "IPv6 in /64", "fd00:0:0:1::7", "fd00:0:0:1::/64", 1 },
    { "IPv6 not in /64", "fd00:0:0:2::7", "fd00:0:0:1::/64", 0 },
    { "IPv6 in odd bits", "fe80::1", "fe80::/10", 1 },
    { "IPv4 in IPv6", "::ffff:10.0.0.7", "10.0.0.0/8", 1 },
    { "IPv4 against IPv6", "10.0.0.7", "::/0", 0 },
    { "IPv6 against IPv4", "::1", "0.0.0.0/0", 0 },
    { "unix", "/run/x", "0.0.0.0/0", 0 },
    { "no address", "10.0.0.7", "ten", -EINVAL },
    { "empty", "10.0.0.7", "", -EINVAL },
    { "too many bits", "10.0.0.7", "10.0.0.0/33", -EINVAL },
    { "no bits", "10.0.0.7", "10.0.0.0/", -EINVAL },
    { "negative bits", "10.0.0.7", "10.0.0.0/-1", -EINVAL },
    { "too many bits of IPv6", "::1", "::/129", -EINVAL },
    { "three numbers", "10.0.0.7", "10.0.0/8", -EINVAL },
    { "bad pattern for unix too", "/run/x", "ten", -EINVAL },
    { "far too long", "::1",
        "1111111111111111111111111111111111111111111111111111111111111111", -EINVAL },
};

START_TEST(pattern_matches_by_its_bits)
{
    const struct cidr_case *c = &cidrs[_i];
    struct net_addr a = addr_of(c->addr, "1");

    CASE_INT(c, net_addr_in(&a, c->cidr), c->ret);
}
END_TEST

struct resolve_case {
    const char *name, *host, *port;
    bool passive;
    int ret;
    const char *text;
};

#define LONG_DIR                                                                             \
    "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaa"

static const struct resolve_case resolves[] = {
    { "IPv4", "127.0.0.1", "5432", false, 1, "" },
    { "port 0 to listen", "127.0.0.1", "0", true, 1, "" },
    { "port 0 to connect", "127.0.0.1", "0", false, -EINVAL,
        "port \"0\" is no number from 1 to 65535" },
    { "port too high", "127.0.0.1", "65536", true, -EINVAL,
        "port \"65536\" is no number from 0 to 65535" },
    { "named port", "127.0.0.1", "postgresql", false, -EINVAL,
        "port \"postgresql\" is no number from 1 to 65535" },
    { "empty host", "", "5432", false, -EINVAL,
        "the host is empty; name one, or a folder of a unix socket" },
    { "star to connect", "*", "5432", false, -EINVAL,
        "* is no host to connect to; name one" },
    { "no name at all", "a..b", "5432", false, -ENOENT,
        "host \"a..b\" can't be resolved: Name or service not known" },
    { "folder too long", LONG_DIR, "5432", false, -ENAMETOOLONG,
        "socket path \"" LONG_DIR "/.s.PGSQL.5432\" is longer than 107 bytes; use a "
        "shorter folder" },
};

START_TEST(host_and_port_are_resolved_or_named)
{
    const struct resolve_case *c = &resolves[_i];
    struct net_addr a;
    struct err err = { "" };

    CASE_INT(c, net_resolve(c->host, c->port, c->passive, &a, 1, &err), c->ret);
    CASE_STR(c, err.text, c->text);
}
END_TEST

START_TEST(star_is_every_address)
{
    struct net_addr a[8];
    bool has_v4 = false;

    int n = net_resolve("*", "6432", true, a, 8, NULL);
    ck_assert_int_ge(n, 1);
    ck_assert_int_le(n, 2);
    for (int i = 0; i < n; i++) {
        char host[NET_ADDR_TEXT_SIZE];
        net_addr_host(&a[i], host);
        ck_assert(!strcmp(host, "0.0.0.0") || !strcmp(host, "::"));
        has_v4 |= !strcmp(host, "0.0.0.0");
        ck_assert_int_eq(net_addr_port(&a[i]), 6432);
    }
    ck_assert(has_v4);
    ck_assert_int_eq(net_resolve("*", "6432", true, a, 1, NULL), 1);
}
END_TEST

START_TEST(numbers_and_folders_never_block)
{
    ck_assert(net_is_numeric("10.0.0.1"));
    ck_assert(net_is_numeric("::1"));
    ck_assert(net_is_numeric("/run/postgresql"));
    ck_assert(!net_is_numeric("db.example"));
    ck_assert(!net_is_numeric("10.0.0"));
    ck_assert(!net_is_numeric(""));
}
END_TEST

#define MAX_CLIENTS 200

struct server {
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_timer end;
    int clients[MAX_CLIENTS], accepted[MAX_CLIENTS];
    unsigned n_clients, n_accepted, n_full, n_turn, n_turn_max, stop_at;
    struct net_addr last_peer;
    bool free_at_first;
};

static void
on_accepted(void *ctx, int fd, const struct net_addr *peer)
{
    struct server *s = ctx;
    ck_assert_uint_lt(s->n_accepted, MAX_CLIENTS);
    s->accepted[s->n_accepted++] = fd;
    s->last_peer = *peer;
    if (s->free_at_first) {
        net_listener_free(s->listener);
        s->listener = NULL;
    }
    if (s->n_accepted + s->n_full == s->stop_at)
        net_loop_stop(s->loop);
}

static void
on_full(void *ctx, int fd)
{
    struct server *s = ctx;
    ck_assert_int_eq(write(fd, "full", 4), 4);
    s->n_full++;
    if (s->free_at_first) {
        net_listener_free(s->listener);
        s->listener = NULL;
    }
    if (s->n_accepted + s->n_full == s->stop_at)
        net_loop_stop(s->loop);
}

static void
on_end(void *ctx)
{
    struct server *s = ctx;
    net_loop_stop(s->loop);
}

static void
server_open(struct server *s, const char *host)
{
    struct net_addr a = addr_of(host, "0");
    struct err err = { "" };
    s->loop = net_loop_new();
    net_timer_init(&s->end, s->loop, on_end, s);
    ck_assert_msg(
        net_listen(s->loop, &a, 128, true, on_accepted, on_full, s, &s->listener, &err)
            == 0,
        "%s", err.text);
}

static void
server_close(struct server *s)
{
    for (unsigned i = 0; i < s->n_clients; i++)
        close(s->clients[i]);
    for (unsigned i = 0; i < s->n_accepted; i++)
        close(s->accepted[i]);
    net_listener_free(s->listener);
    net_timer_deinit(&s->end);
    net_loop_free(s->loop);
}

/* A client's end, in the kernel's queue of the listener. */
static void
add_client(struct server *s)
{
    int fd = net_connect(net_listener_addr(s->listener));
    ck_assert_msg(fd >= 0, "connect: %s", strerror(-fd));
    s->clients[s->n_clients++] = fd;
}

START_TEST(listener_on_port_0_knows_its_port_and_takes_clients)
{
    struct server s = { .stop_at = 2 };
    char text[NET_ADDR_TEXT_SIZE];

    server_open(&s, "127.0.0.1");
    ck_assert_int_gt(net_addr_port(net_listener_addr(s.listener)), 0);
    add_client(&s);
    add_client(&s);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, 2);
    ck_assert_uint_eq(s.n_full, 0);
    net_addr_host(&s.last_peer, text);
    ck_assert_str_eq(text, "127.0.0.1");
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(net_connect_result(s.clients[i]), 0);
        ck_assert(fcntl(s.accepted[i], F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(s.accepted[i], F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(s.clients[i], F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(s.clients[i], F_GETFD) & FD_CLOEXEC);
    }
    server_close(&s);
}
END_TEST

struct count_task {
    struct task task;
    struct server *server;
};

/* Runs between the listener's turns, since an eventfd is watched like the listener. */
static void
count_turn(struct task *task)
{
    struct count_task *t = (struct count_task *)(void *)task;
    struct server *s = t->server;
    unsigned taken = s->n_accepted - s->n_turn;
    s->n_turn = s->n_accepted;
    if (taken > s->n_turn_max)
        s->n_turn_max = taken;
    if (s->n_accepted < s->stop_at)
        task_post(net_loop_queue(s->loop), task);
}

START_TEST(crowd_is_taken_in_bounded_portions)
{
    struct server s = { .stop_at = 2 * NET_ACCEPT_MAX - 8 };
    struct count_task t = { { .run = count_turn }, &s };

    server_open(&s, "127.0.0.1");
    for (unsigned i = 0; i < s.stop_at; i++)
        add_client(&s);
    task_post(net_loop_queue(s.loop), &t.task);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, s.stop_at);
    net_timer_start(&s.end, 0); /* the last count_turn */
    net_loop_run(s.loop);
    ck_assert_uint_le(s.n_turn_max, NET_ACCEPT_MAX);
    ck_assert_uint_gt(s.n_turn_max, 0);
    server_close(&s);
}
END_TEST

/* More than one turn takes; whoever came in time is not reset. */
START_TEST(everybody_who_waits_is_taken_before_the_end)
{
    struct server s = { .stop_at = NET_ACCEPT_MAX + 20 };

    server_open(&s, "127.0.0.1");
    for (unsigned i = 0; i < s.stop_at; i++)
        add_client(&s);
    net_listener_take_all(s.listener);
    ck_assert_uint_eq(s.n_accepted, s.stop_at);
    net_listener_take_all(s.listener); /* nobody is left */
    net_listener_free(s.listener);
    s.listener = NULL;
    for (unsigned i = 0; i < s.n_clients; i++)
        ck_assert_int_eq(net_connect_result(s.clients[i]), 0);
    ck_assert_int_eq(write(s.accepted[NET_ACCEPT_MAX], "x", 1), 1);
    server_close(&s);
}
END_TEST

START_TEST(listener_may_be_freed_while_all_are_taken)
{
    struct server s = { .free_at_first = true };

    server_open(&s, "127.0.0.1");
    add_client(&s);
    add_client(&s);
    net_listener_take_all(s.listener);
    ck_assert_uint_eq(s.n_accepted, 1);
    ck_assert_ptr_null(s.listener);
    server_close(&s);
}
END_TEST

/* A socket as a service manager makes it: blocking, and it stays when we end. */
START_TEST(socket_that_was_handed_over_is_listened_on)
{
    struct server s = { .stop_at = 1 };
    struct err err = { "" };
    char text[NET_ADDR_TEXT_SIZE], *dir = unit_mkdir();
    struct net_addr a = addr_of(_i ? dir : "127.0.0.1", _i ? "6432" : "0");
    int fd = socket(a.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a.ss, a.len), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    s.loop = net_loop_new();
    net_timer_init(&s.end, s.loop, on_end, &s);
    ck_assert_msg(
        net_listen_on(s.loop, fd, on_accepted, on_full, &s, &s.listener, &err) == 0,
        "%s", err.text);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    net_addr_text(net_listener_addr(s.listener), text);
    if (_i)
        ck_assert_ptr_nonnull(strstr(text, "/.s.PGSQL.6432"));
    else
        ck_assert_int_gt(net_addr_port(net_listener_addr(s.listener)), 0);
    add_client(&s);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, 1);
    server_close(&s);
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
    if (_i)
        ck_assert_int_eq(access(text + strlen("unix:"), F_OK), 0);
    unit_rmdir(dir);
}
END_TEST

START_TEST(descriptor_that_does_not_listen_is_refused)
{
    struct server s = { .stop_at = 1 };
    struct err err = { "" };
    int fds[] = { open("/dev/null", O_RDONLY | O_CLOEXEC),
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), -1, 1000 };
    char want[100];

    s.loop = net_loop_new();
    for (size_t i = 0; i < DG_ARRAY_SIZE(fds); i++) {
        ck_assert_int_eq(
            net_listen_on(s.loop, fds[i], on_accepted, on_full, &s, &s.listener, &err),
            -EINVAL);
        snprintf(want, sizeof want,
            "descriptor %d that was handed over is no listening socket", fds[i]);
        ck_assert_str_eq(err.text, want);
        if (i < 3)
            close(fds[i]);
    }
    ck_assert_ptr_null(s.listener);
    net_loop_free(s.loop);
}
END_TEST

/* Two processes may share a port: both say so. */
START_TEST(shared_port_is_shared_only_when_both_want_it)
{
    struct server s = { .stop_at = 1 };
    struct net_listener *second = NULL;
    struct err err = { "" };

    server_open(&s, "127.0.0.1"); /* with SO_REUSEPORT */
    struct net_addr a = *net_listener_addr(s.listener);
    ck_assert_int_eq(
        net_listen(s.loop, &a, 8, false, on_accepted, on_full, &s, &second, &err),
        -EADDRINUSE);
    ck_assert_int_eq(
        net_listen(s.loop, &a, 8, true, on_accepted, on_full, &s, &second, &err), 0);
    add_client(&s);
    net_loop_run(s.loop); /* whichever it was */
    ck_assert_uint_eq(s.n_accepted, 1);
    net_listener_free(second);
    server_close(&s);
}
END_TEST

/* The lowest descriptor that is free becomes the limit. */
static void
use_up_fds(struct rlimit *old)
{
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(next, 0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, old), 0);
    struct rlimit tight = { .rlim_cur = (rlim_t)next, .rlim_max = old->rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
}

START_TEST(client_is_answered_when_descriptors_run_out)
{
    struct server s = { .stop_at = 3 };
    struct rlimit old;
    char text[5] = "";

    server_open(&s, "127.0.0.1");
    for (int i = 0; i < 3; i++)
        add_client(&s);
    use_up_fds(&old);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_full, 3);
    ck_assert_uint_eq(s.n_accepted, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(recv(s.clients[i], text, 4, 0), 4);
        ck_assert_str_eq(text, "full");
        ck_assert_int_eq(recv(s.clients[i], text, 4, 0), 0);
    }

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    s.stop_at = 4;
    add_client(&s);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, 1);
    server_close(&s);
}
END_TEST

START_TEST(listener_without_reserve_pauses_and_recovers)
{
    struct server s = { .stop_at = 1 };
    struct rlimit old;
    struct rusage before, after;

    server_open(&s, "127.0.0.1");
    add_client(&s);
    struct rlimit none = { .rlim_cur = 3 }; /* below all open ones: no reserve again */
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    none.rlim_max = old.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    net_timer_start(&s.end, 500);
    getrusage(RUSAGE_SELF, &before);
    net_loop_run(s.loop);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_uint_eq(s.n_accepted + s.n_full, 0);
    ck_assert_int_lt(after.ru_nvcsw - before.ru_nvcsw, 100); /* it slept */
    int64_t cpu_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000
        + after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    ck_assert_int_lt(cpu_us, 200000);

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    net_timer_start(&s.end, 5000);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, 1);
    server_close(&s);
}
END_TEST

START_TEST(callbacks_may_free_the_listener)
{
    struct server s = { .stop_at = 1, .free_at_first = true };
    struct rlimit old;

    server_open(&s, "127.0.0.1");
    add_client(&s);
    add_client(&s);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_accepted, 1);
    ck_assert_ptr_null(s.listener);
    server_close(&s);

    s = (struct server){ .stop_at = 1, .free_at_first = true };
    server_open(&s, "127.0.0.1");
    add_client(&s);
    use_up_fds(&old);
    net_loop_run(s.loop);
    ck_assert_uint_eq(s.n_full, 1);
    ck_assert_ptr_null(s.listener);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    server_close(&s);
}
END_TEST

START_TEST(taken_port_is_named)
{
    struct server s = { 0 };
    struct net_listener *second = NULL;
    struct err err = { "" };
    char want[200];

    server_open(&s, "127.0.0.1");
    const struct net_addr *a = net_listener_addr(s.listener);
    ck_assert_int_eq(
        net_listen(s.loop, a, 1, false, on_accepted, on_full, &s, &second, &err),
        -EADDRINUSE);
    snprintf(want, sizeof want,
        "cannot listen on 127.0.0.1:%d: Address already in use; another process listens "
        "there: stop it or choose another port",
        net_addr_port(a));
    ck_assert_str_eq(err.text, want);
    ck_assert_ptr_null(second);
    /* With SO_REUSEPORT on both sides two may share it. */
    ck_assert_int_eq(
        net_listen(s.loop, a, 1, true, on_accepted, on_full, &s, &second, &err), 0);
    net_listener_free(second);
    server_close(&s);
}
END_TEST

START_TEST(unix_socket_of_a_dead_process_is_replaced)
{
    char *dir = unit_mkdir();
    struct net_addr a = addr_of(dir, "6432");
    struct server s = { .loop = net_loop_new(), .stop_at = 1 };
    struct net_listener *second = NULL;
    struct sockaddr_un un;

    net_timer_init(&s.end, s.loop, on_end, &s);
    memcpy(&un, &a.ss, sizeof un);
    int left = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(left, (const struct sockaddr *)&a.ss, a.len), 0);
    close(left); /* the file stays */
    ck_assert_int_eq(
        net_listen(s.loop, &a, 1, true, on_accepted, on_full, &s, &s.listener, NULL),
        0);
    ck_assert_int_eq(
        net_listen(s.loop, &a, 1, true, on_accepted, on_full, &s, &second, NULL),
        -EADDRINUSE);
    add_client(&s);
    net_loop_run(s.loop);
    ck_assert_int_ge((int)s.n_accepted, 1);
    server_close(&s);
    ck_assert_int_eq(access(un.sun_path, F_OK), -1);
    unit_rmdir(dir);
}
END_TEST

START_TEST(file_in_the_place_of_a_unix_socket_stays)
{
    char *dir = unit_mkdir();
    char *path = unit_write(dir, ".s.PGSQL.6432", "mine", 4);
    struct net_addr a = addr_of(dir, "6432");
    struct net_loop *l = net_loop_new();
    struct net_listener *listener = NULL;

    ck_assert_int_eq(
        net_listen(l, &a, 1, true, on_accepted, on_full, NULL, &listener, NULL),
        -EADDRINUSE);
    ck_assert_int_eq(access(path, F_OK), 0);
    net_loop_free(l);
    free(path);
    unit_rmdir(dir);
}
END_TEST

struct connecting {
    struct net_loop *loop;
    int fd, result;
};

static void
on_connected(void *ctx, unsigned what)
{
    struct connecting *c = ctx;
    ck_assert_uint_eq(what, NET_WRITE);
    c->result = net_connect_result(c->fd);
    net_loop_stop(c->loop);
}

START_TEST(refused_connect_says_so)
{
    struct server s = { 0 };
    struct connecting c;
    struct net_watch w;

    server_open(&s, "127.0.0.1");
    struct net_addr a = *net_listener_addr(s.listener);
    net_listener_free(s.listener);
    s.listener = NULL;
    c = (struct connecting){ .loop = s.loop, .fd = net_connect(&a), .result = 1 };
    if (c.fd == -ECONNREFUSED) { /* the kernel may know at once */
        server_close(&s);
        return;
    }
    ck_assert_int_ge(c.fd, 0);
    net_watch_init(&w, s.loop, c.fd, on_connected, &c);
    net_watch_set(&w, NET_WRITE);
    net_loop_run(s.loop);
    ck_assert_int_eq(c.result, -ECONNREFUSED);
    net_watch_deinit(&w);
    close(c.fd);
    server_close(&s);
}
END_TEST

static int
option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

START_TEST(options_are_set_on_tcp_and_left_alone_on_unix)
{
    struct net_keepalive on = { .enabled = true,
        .idle_s = 61,
        .interval_s = 11,
        .count = 4,
        .user_timeout_ms = 62000 };
    struct net_keepalive off = { 0 };
    int fd = socket(AF_INET, SOCK_STREAM, 0), pair[2];

    net_sock_options(fd, &on);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 61);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 11);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 62000);
    net_sock_options(fd, &off);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    close(fd);

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    net_sock_options(pair[0], &on);
    ck_assert_int_eq(option(pair[0], SOL_SOCKET, SO_KEEPALIVE), 0);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(descriptor_limit_is_raised_never_lowered)
{
    struct rlimit now;
    uint64_t got = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
    struct rlimit low = { .rlim_cur = 64, .rlim_max = now.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    ck_assert_int_eq(net_limit_fds(128, &got), 0);
    ck_assert_uint_eq(got, 128);
    ck_assert_int_eq(net_limit_fds(32, &got), 0);
    ck_assert_uint_eq(got, 128);
    ck_assert_int_ne(net_limit_fds(UINT64_MAX - 1, &got), 0);
    ck_assert_uint_ge(got, 128);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &low), 0);
    ck_assert_uint_eq(got, low.rlim_cur);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("net/sock");
    TCase *tc = tcase_create("addresses"), *io = tcase_create("sockets");

    tcase_add_loop_test(tc, address_reads_as_people_write_it, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, unix_address_without_a_path_is_named);
    tcase_add_loop_test(tc, pattern_matches_by_its_bits, 0, DG_ARRAY_SIZE(cidrs));
    tcase_add_loop_test(
        tc, host_and_port_are_resolved_or_named, 0, DG_ARRAY_SIZE(resolves));
    tcase_add_test(tc, star_is_every_address);
    tcase_add_test(tc, numbers_and_folders_never_block);
    suite_add_tcase(s, tc);

    tcase_add_test(io, listener_on_port_0_knows_its_port_and_takes_clients);
    tcase_add_test(io, crowd_is_taken_in_bounded_portions);
    tcase_add_test(io, everybody_who_waits_is_taken_before_the_end);
    tcase_add_test(io, listener_may_be_freed_while_all_are_taken);
    tcase_add_loop_test(io, socket_that_was_handed_over_is_listened_on, 0, 2);
    tcase_add_test(io, descriptor_that_does_not_listen_is_refused);
    tcase_add_test(io, shared_port_is_shared_only_when_both_want_it);
    tcase_add_test(io, client_is_answered_when_descriptors_run_out);
    tcase_add_test(io, listener_without_reserve_pauses_and_recovers);
    tcase_add_test(io, callbacks_may_free_the_listener);
    tcase_add_test(io, taken_port_is_named);
    tcase_add_test(io, unix_socket_of_a_dead_process_is_replaced);
    tcase_add_test(io, file_in_the_place_of_a_unix_socket_stays);
    tcase_add_test(io, refused_connect_says_so);
    tcase_add_test(io, options_are_set_on_tcp_and_left_alone_on_unix);
    tcase_add_test(io, descriptor_limit_is_raised_never_lowered);
    suite_add_tcase(s, io);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
