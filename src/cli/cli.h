// SPDX-License-Identifier: ISC
/* The command line: one binary, a table of subcommands. cli_main finds the subcommand and
 * answers --help and --version; everything else is the subcommand's own.
 *
 * A subcommand NAME is one file, cmd_NAME.c, that defines `const struct cli_command
 * cmd_NAME`, and one line in cli/commands.h.
 *
 * Exit status of every subcommand: CLI_OK, CLI_FINDINGS (it ran, and what it looked at is
 * not fine), CLI_USAGE (wrong arguments or configuration, or it could not run). */
#ifndef DG_CLI_CLI_H
#define DG_CLI_CLI_H

#include "base/base.h"

enum {
    CLI_OK = 0,
    CLI_FINDINGS = 1,
    CLI_USAGE = 2,
};

struct cli_command {
    const char *name;
    const char *summary; /* one line for the list, no full stop */
    /* The whole help text: "Usage: ddlgate audit ...\n\n...". Ends with a newline. */
    const char *usage;
    /* argv[0] is the subcommand's name, so that getopt_long works as in a main(). The
     * returned value is the process's exit status. */
    int (*run)(int argc, char **argv);
};

#define CLI_COMMAND(name) extern const struct cli_command cmd_##name;
#include "cli/commands.h"
#undef CLI_COMMAND

int cli_main(int argc, char **argv);

/* Prints "ddlgate NAME: text; try 'ddlgate NAME --help'" to standard error and returns
 * CLI_USAGE, so that a subcommand can `return cli_misuse(...)`. */
int cli_misuse(const struct cli_command *cmd, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For what getopt_long answers with `?` or `:` (set opterr = 0 before): names the option.
 * Returns CLI_USAGE. */
int cli_bad_option(const struct cli_command *cmd, char **argv);
/* The same without the reference to the help, for errors that are no misuse: a file that
 * can't be read, a server that can't be reached. Returns CLI_USAGE. */
int cli_error(const struct cli_command *cmd, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prints the help text to standard output and returns CLI_OK. */
int cli_help(const struct cli_command *cmd);
/* Flushes standard output (cmd NULL: of the program itself): `status`, or CLI_USAGE with a
 * message when the output could not be written (a full disk must not look like success). */
int cli_finish(const struct cli_command *cmd, int status);

#endif
