// SPDX-License-Identifier: ISC
/* Finds the subcommand and runs it. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cli_command *const commands[] = {
#define CLI_COMMAND(name) &cmd_##name,
#include "cli/commands.h"
#undef CLI_COMMAND
};

static const struct cli_command *
find_command(const char *name)
{
    for (size_t i = 0; i < DG_ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int
print_overview(void)
{
    printf("Usage: ddlgate COMMAND [OPTION]...\n"
           "\n"
           "A PostgreSQL proxy that lets schema changes through only as migrations.\n"
           "\n"
           "Commands:\n");
    for (size_t i = 0; i < DG_ARRAY_SIZE(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf(
        "\n"
        "  -h, --help     this text; `ddlgate COMMAND --help` tells about a command\n"
        "  -V, --version  the version\n"
        "\n"
        "Exit status: 0 fine, 1 findings, 2 usage or configuration error.\n");
    return cli_finish(NULL, CLI_OK);
}

static int
print_version(void)
{
    printf("ddlgate %s\n", DG_VERSION);
    return cli_finish(NULL, CLI_OK);
}

static bool
is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int
cli_main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "ddlgate: no command given; try 'ddlgate --help'\n");
        return CLI_USAGE;
    }
    const char *word = argv[1];
    if (is_help(word))
        return print_overview();
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return print_version();
    if (strcmp(word, "help") == 0) {
        if (argc == 2)
            return print_overview();
        word = argv[2];
        const struct cli_command *cmd = find_command(word);
        if (cmd)
            return cli_help(cmd);
    }
    const struct cli_command *cmd = find_command(word);
    if (!cmd) {
        fprintf(
            stderr, "ddlgate: there is no command '%s'; try 'ddlgate --help'\n", word);
        return CLI_USAGE;
    }
    /* Only as the first argument: later ones may belong to a program that the subcommand
     * runs (`record -- alembic --help`). */
    if (argc > 2 && is_help(argv[2]))
        return cli_help(cmd);
    return cmd->run(argc - 1, argv + 1);
}

int
cli_misuse(const struct cli_command *cmd, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "ddlgate %s: ", cmd->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; try 'ddlgate %s --help'\n", cmd->name);
    return CLI_USAGE;
}

int
cli_bad_option(const struct cli_command *cmd, char **argv)
{
    /* optopt is 0 for an unknown long option, the option's letter otherwise. */
    if (optopt > 0 && optopt < 128 && strncmp(argv[optind - 1], "--", 2) != 0)
        return cli_misuse(cmd, "option -%c is unknown or lacks its value", optopt);
    return cli_misuse(cmd, "option %s is unknown or lacks its value", argv[optind - 1]);
}

int
cli_error(const struct cli_command *cmd, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "ddlgate %s: ", cmd->name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return CLI_USAGE;
}

int
cli_help(const struct cli_command *cmd)
{
    fputs(cmd->usage, stdout);
    return cli_finish(cmd, CLI_OK);
}

int
cli_finish(const struct cli_command *cmd, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "ddlgate%s%s: standard output: %s\n", cmd ? " " : "",
        cmd ? cmd->name : "", strerror(errno));
    return CLI_USAGE;
}
