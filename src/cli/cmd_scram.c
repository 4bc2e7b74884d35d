// SPDX-License-Identifier: ISC
/* `ddlgate scram`: a password to the secret that PostgreSQL and auth_file keep instead. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/secret.h"
#include "base/buf.h"
#include "base/str.h"

#define MIN_ITERATIONS 4096 /* RFC 7677 part 4 asks for no less */
#define MAX_USER       63   /* bytes; PostgreSQL cuts longer names */

struct arguments {
    const char *user;
    int iterations;
};

/* --- the terminal --------------------------------------------------------------------- */

/* Signals that would leave the terminal without echo. */
static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

static volatile sig_atomic_t caught_signal;

static void
on_signal(int number)
{
    caught_signal = number;
}

struct quiet {
    struct termios before;
    struct sigaction actions[DG_ARRAY_SIZE(caught)];
};

/* Echo off. Signals end the reading first, so that echo comes back before they act. */
static int
quiet_begin(struct quiet *q)
{
    struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART */

    if (tcgetattr(STDIN_FILENO, &q->before) < 0)
        return -errno;
    for (size_t i = 0; i < DG_ARRAY_SIZE(caught); i++)
        sigaction(caught[i], &sa, &q->actions[i]);
    struct termios now = q->before;
    now.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    now.c_lflag |= ECHONL | ICANON;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) < 0 ? -errno : 0;
}

static void
quiet_end(struct quiet *q)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &q->before);
    for (size_t i = 0; i < DG_ARRAY_SIZE(caught); i++)
        sigaction(caught[i], &q->actions[i], NULL);
    if (caught_signal)
        raise(caught_signal);
}

/* --- reading -------------------------------------------------------------------------- */

enum {
    READ_LINE = 1, /* ended by a newline */
    READ_END = 0,
};

/* A line, byte by byte: a buffer of stdio would keep a copy. READ_LINE, READ_END, -errno
 * (-EMSGSIZE: too long). */
static int
read_line(struct buf *out)
{
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0)
            return -errno;
        if (n == 0)
            return READ_END;
        if (c == '\n')
            return READ_LINE;
        if (buf_addc(out, c) != 0)
            return -EMSGSIZE;
    }
}

static int
say_unreadable(int r)
{
    if (r == -EMSGSIZE)
        return cli_error(
            &cmd_scram, "the password is longer than %d bytes", AUTH_MAX_PASSWORD);
    return cli_error(&cmd_scram, "standard input: %s", strerror(-r));
}

static int
ask(const char *prompt, struct buf *out)
{
    struct quiet q;
    int r;

    /* Once more after a stop: what was typed before it is gone. */
    do {
        caught_signal = 0;
        buf_reset(out);
        fputs(prompt, stderr);
        fflush(stderr);
        r = quiet_begin(&q);
        if (r < 0)
            return cli_error(&cmd_scram, "the terminal's echo can't be turned off: %s",
                strerror(-r));
        r = read_line(out);
        quiet_end(&q);
    } while (r == -EINTR && caught_signal == SIGTSTP);
    return r < 0 ? say_unreadable(r) : CLI_OK;
}

static int
ask_twice(struct buf *out)
{
    AUTO(buf_deinit)
    struct buf again = { .max = AUTH_MAX_PASSWORD, .is_secret = true };

    int status = ask("Password: ", out);
    if (status == CLI_OK)
        status = ask("Again: ", &again);
    if (status)
        return status;
    if (strcmp(buf_cstr(out), buf_cstr(&again)) != 0)
        return cli_error(&cmd_scram, "the two passwords differ; try again");
    return CLI_OK;
}

/* One line, and nothing after it: a second one is a mistake that would go unseen. */
static int
read_pipe(struct buf *out)
{
    AUTO(buf_deinit) struct buf rest = { .max = 1, .is_secret = true };

    int r = read_line(out);
    if (r < 0)
        return say_unreadable(r);
    if (r == READ_LINE && (read_line(&rest) != READ_END || buf_len(&rest)))
        return cli_error(&cmd_scram,
            "standard input has more than one line; give one password at a time");
    size_t n = buf_len(out);
    if (n && buf_ptr(out)[n - 1] == '\r')
        return cli_error(&cmd_scram,
            "the password would end with a carriage return; end the line as on Unix");
    return CLI_OK;
}

static int
read_password(struct buf *out)
{
    int status = isatty(STDIN_FILENO) ? ask_twice(out) : read_pipe(out);
    if (status)
        return status;
    if (strlen(buf_cstr(out)) != buf_len(out))
        return cli_error(
            &cmd_scram, "the password has a NUL in it; PostgreSQL takes none");
    return CLI_OK;
}

/* --- the command ---------------------------------------------------------------------- */

static void
print_quoted(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"')
            putchar('"');
        putchar(*s);
    }
    putchar('"');
}

static int
check_user(const char *user)
{
    size_t n = strlen(user);

    if (n == 0 || n > MAX_USER)
        return cli_misuse(&cmd_scram, "--user takes a name of 1 to %d bytes", MAX_USER);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)user[i] < 0x20 || user[i] == 0x7f)
            return cli_misuse(&cmd_scram, "--user: a control character is in the name");
    return CLI_OK;
}

static int
parse_options(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "user", required_argument, NULL, 'u' },
        { "iterations", required_argument, NULL, 'i' },
        { NULL, 0, NULL, 0 },
    };
    int opt;
    int64_t n;

    opterr = 0;
    while ((opt = getopt_long(argc, argv, ":u:i:", options, NULL)) != -1) {
        switch (opt) {
        case 'u':
            if (check_user(optarg))
                return CLI_USAGE;
            a->user = optarg;
            break;
        case 'i':
            if (str_int64(str_of(optarg), MIN_ITERATIONS, AUTH_MAX_ITERATIONS, &n))
                return cli_misuse(&cmd_scram, "--iterations takes a number of %d to %d",
                    MIN_ITERATIONS, AUTH_MAX_ITERATIONS);
            a->iterations = (int)n;
            break;
        default:
            return cli_bad_option(&cmd_scram, argv);
        }
    }
    if (optind < argc)
        return cli_misuse(&cmd_scram,
            "takes no argument, least of all the password: others would see it in the "
            "list of processes, and the shell keeps it in its history; it is read from "
            "standard input");
    return CLI_OK;
}

static int
run(int argc, char **argv)
{
    AUTO(buf_deinit)
    struct buf password = { .max = AUTH_MAX_PASSWORD, .is_secret = true };
    struct arguments a = { .iterations = AUTH_SCRAM_ITERATIONS };
    char secret[AUTH_SCRAM_TEXT];
    struct err err = { "" };

    int status = parse_options(argc, argv, &a);
    if (status == CLI_OK)
        status = read_password(&password);
    if (status)
        return status;
    if (auth_secret_build(buf_cstr(&password), a.iterations, NULL, 0, secret, &err))
        return cli_error(&cmd_scram, "%s", err.text);
    if (a.user) {
        print_quoted(a.user);
        putchar(' ');
        print_quoted(secret);
        putchar('\n');
    } else {
        printf("%s\n", secret);
    }
    return cli_finish(&cmd_scram, CLI_OK);
}

const struct cli_command cmd_scram = {
    .name = "scram",
    .summary = "make the SCRAM secret of a password",
    .usage =
        "Usage: ddlgate scram [--user NAME] [--iterations N] < FILE\n"
        "\n"
        "Reads a password from standard input (asks twice, without echo, if that is a\n"
        "terminal) and prints the SCRAM-SHA-256 secret that PostgreSQL and the gate's\n"
        "auth_file keep in its place. Each run gives another one: the salt is random.\n"
        "\n"
        "For clients to log in at the server through the gate, both need the same\n"
        "secret. Give the server this one:\n"
        "\n"
        "    ALTER ROLE app PASSWORD 'SCRAM-SHA-256$...';\n"
        "\n"
        "or give auth_file the one of the server, from pg_authid.rolpassword.\n"
        "\n"
        "  -u, --user NAME      print a line of auth_file: \"NAME\" \"SECRET\"\n"
        "  -i, --iterations N   rounds of hashing, 4096 (default) to 1000000; more make\n"
        "                       guessing harder, and each login slower\n"
        "\n"
        "The password is no argument: others would see it in the list of processes, and\n"
        "the shell would keep it in its history.\n"
        "\n"
        "Exit status: 0 fine, 2 usage error or no password.\n",
    .run = run,
};
