// SPDX-License-Identifier: ISC
/* The subcommands in the order in which --help lists them: an X-macro table, included with
 * CLI_COMMAND(name) defined. One line for each cmd_NAME.c. No include guard. */
#ifndef CLI_COMMAND
#define CLI_COMMAND(name)
#define CLI_COMMAND_UNUSED
#endif

CLI_COMMAND(serve)
CLI_COMMAND(check)
CLI_COMMAND(explain)
CLI_COMMAND(verify)
CLI_COMMAND(status)
CLI_COMMAND(record)
CLI_COMMAND(audit)
CLI_COMMAND(replay)
CLI_COMMAND(undrop)
CLI_COMMAND(scram)

#ifdef CLI_COMMAND_UNUSED
#undef CLI_COMMAND
#undef CLI_COMMAND_UNUSED
#endif
