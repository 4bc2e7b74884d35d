// SPDX-License-Identifier: ISC
/* `ddlgate serve`: the gate itself. */
#include "app/app.h"
#include "base/log.h"
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int
run(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "verbose", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    const char *config = NULL;
    struct err err = { "" };
    struct app *app = NULL;
    int opt;

    while ((opt = getopt_long(argc, argv, "c:v", options, NULL)) != -1) {
        if (opt == 'c')
            config = optarg;
        else if (opt == 'v')
            log_set_level(LOG_LEVEL_DEBUG);
        else
            return cli_misuse(&cmd_serve, "bad option");
    }
    if (optind < argc)
        return cli_misuse(&cmd_serve, "unexpected argument '%s'", argv[optind]);
    if (!config)
        return cli_misuse(&cmd_serve, "no configuration file given (-c FILE)");
    if (app_new(config, NULL, &app, &err) != 0)
        return cli_error(&cmd_serve, "%s", err.text);
    int status = app_run(app);
    app_free(app);
    return status;
}

const struct cli_command cmd_serve = {
    .name = "serve",
    .summary = "run the gate in the foreground",
    .usage =
        "Usage: ddlgate serve -c FILE [-v]\n"
        "\n"
        "Runs the gate in the foreground and logs to standard error. Ready when it\n"
        "logs `listening on ADDRESS:PORT`.\n"
        "\n"
        "  -c, --config FILE  configuration (see conf/ddlgate.ini)\n"
        "  -v, --verbose      debug messages, too\n"
        "\n"
        "Signals: HUP reloads configuration, policy and migrations (a bad one leaves\n"
        "the running ones in place) and reopens the audit file; USR1 logs counters;\n"
        "TERM and INT let transactions finish (shutdown_timeout), a second one does\n"
        "not wait.\n",
    .run = run,
};
