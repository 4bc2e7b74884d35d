// SPDX-License-Identifier: ISC
/* Messages to systemd over sockets of both kinds, and descriptors it hands over. */
#include "net/notify.h"

#include "lib/unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* A socket as systemd has it; name as in NOTIFY_SOCKET. */
static int
systemd_open(const char *name)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(n, sizeof un.sun_path);
    memcpy(un.sun_path, name, n);
    if (un.sun_path[0] == '@')
        un.sun_path[0] = '\0';
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&un,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *
heard(int fd)
{
    static char text[200];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

START_TEST(state_is_heard_over_both_kinds_of_sockets)
{
    char *dir = unit_mkdir(), name[100];
    if (_i)
        snprintf(name, sizeof name, "@ddlgate-test-%d", (int)getpid());
    else
        snprintf(name, sizeof name, "%s/notify", dir);
    int fd = systemd_open(name);

    net_notify("READY=1\nSTATUS=two databases");
    ck_assert_str_eq(heard(fd), "READY=1\nSTATUS=two databases");
    net_notify("STOPPING=1");
    net_notify("WATCHDOG=1");
    ck_assert_str_eq(heard(fd), "STOPPING=1");
    ck_assert_str_eq(heard(fd), "WATCHDOG=1");
    ck_assert_str_eq(heard(fd), "");
    close(fd);
    unit_rmdir(dir);
}
END_TEST

START_TEST(reload_comes_with_the_time)
{
    char *dir = unit_mkdir(), name[100];
    struct timespec before, after;
    int64_t us;
    int end = 0;

    snprintf(name, sizeof name, "%s/notify", dir);
    int fd = systemd_open(name);
    clock_gettime(CLOCK_MONOTONIC, &before);
    net_notify_reloading();
    clock_gettime(CLOCK_MONOTONIC, &after);
    const char *text = heard(fd);
    ck_assert_msg(
        sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%n", &us, &end) == 1
            && text[end] == '\0',
        "%s", text);
    ck_assert_int_ge(us, before.tv_sec * 1000000 + before.tv_nsec / 1000);
    ck_assert_int_le(us, after.tv_sec * 1000000 + after.tv_nsec / 1000);
    close(fd);
    unit_rmdir(dir);
}
END_TEST

static int
n_open_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(nobody_who_listens_is_no_matter)
{
    static const char *const names[] = { "", "relative", "/nonexistent/socket",
        "@ddlgate-nobody", "vsock:2:1234" };
    char longer[300];
    int n = n_open_fds();

    unsetenv("NOTIFY_SOCKET");
    net_notify("READY=1");
    for (size_t i = 0; i < DG_ARRAY_SIZE(names); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        net_notify("READY=1");
    }
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    setenv("NOTIFY_SOCKET", longer, 1);
    net_notify("READY=1");
    ck_assert_int_eq(n_open_fds(), n);
}
END_TEST

static void
hand_over(const char *pid, const char *n)
{
    char own[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    if (pid)
        setenv("LISTEN_PID", *pid ? pid : own, 1);
    if (n)
        setenv("LISTEN_FDS", n, 1);
    setenv("LISTEN_FDNAMES", "tcp:unix", 1);
}

static const struct {
    const char *name, *pid, *n; /* pid "": ours */
    int want;
} handed[] = {
    { "two", "", "2", 2 },
    { "none", NULL, NULL, 0 },
    { "no number", "", NULL, 0 },
    { "for nobody", NULL, "2", 0 },
    { "for another process", "1", "2", 0 },
    { "zero", "", "0", 0 },
    { "negative", "", "-1", 0 },
    { "too many", "", "1000000", 0 },
    { "overflowing", "", "4294967298", 0 },
    { "rubbish", "", "2x", 0 },
    { "pid is rubbish", "x", "2", 0 },
};

START_TEST(descriptors_for_this_process_are_counted)
{
    hand_over(handed[_i].pid, handed[_i].n);
    CASE_INT(&handed[_i], net_inherited_fds(), handed[_i].want);
    ck_assert_ptr_null(getenv("LISTEN_PID"));
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
    CASE_INT(&handed[_i], net_inherited_fds(), 0);
}
END_TEST

/* In this test's own process: whatever Check had at these numbers is put away first. */
START_TEST(descriptors_are_not_for_children)
{
    int keep[2];

    for (int i = 0; i < 2; i++) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        keep[i] = fcntl(NET_FIRST_FD + i, F_DUPFD_CLOEXEC, 20);
        ck_assert_int_ge(dup2(null, NET_FIRST_FD + i), 0);
        if (null != NET_FIRST_FD + i)
            close(null);
    }
    hand_over("", "2");
    int n = net_inherited_fds(), flags[2];
    for (int i = 0; i < 2; i++) {
        flags[i] = fcntl(NET_FIRST_FD + i, F_GETFD);
        if (keep[i] >= 0)
            dup2(keep[i], NET_FIRST_FD + i);
    }
    ck_assert_int_eq(n, 2);
    ck_assert(flags[0] & FD_CLOEXEC && flags[1] & FD_CLOEXEC);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("net_notify");
    TCase *tc = tcase_create("systemd");
    tcase_add_loop_test(tc, state_is_heard_over_both_kinds_of_sockets, 0, 2);
    tcase_add_test(tc, reload_comes_with_the_time);
    tcase_add_test(tc, nobody_who_listens_is_no_matter);
    tcase_add_loop_test(
        tc, descriptors_for_this_process_are_counted, 0, DG_ARRAY_SIZE(handed));
    tcase_add_test(tc, descriptors_are_not_for_children);
    suite_add_tcase(s, tc);
    return unit_main(s);
}
