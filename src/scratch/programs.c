// SPDX-License-Identifier: ISC
/* Looks for the server's programs where packages and people put them. */
#include "scratch/programs.h"

#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define DEBIAN  "/usr/lib/postgresql/*/bin"
#define INSTALL "install the server (Debian: apt-get install postgresql)"

static bool
has_programs(const char *folder)
{
    AUTO(mem_free) char *initdb = mem_printf("%s/initdb", folder);
    AUTO(mem_free) char *postgres = mem_printf("%s/postgres", folder);

    return access(initdb, X_OK) == 0 && access(postgres, X_OK) == 0;
}

/* The first line that a pg_config prints; NULL: there is no such program. */
static char *
ask_pg_config(const char *program)
{
    char line[1024] = "";
    /* a path with quotes in it is nobody's pg_config */
    if (strchr(program, '\''))
        return NULL;
    AUTO(mem_free) char *command = mem_printf("'%s' --bindir 2>/dev/null", program);
    FILE *f = popen(command, "re");
    if (!f)
        return NULL;
    bool has_line = fgets(line, sizeof(line), f) != NULL;
    if (pclose(f) != 0 || !has_line)
        return NULL;
    line[strcspn(line, "\n")] = 0;
    return mem_strdup(line);
}

static char *
newest_of_debian(void)
{
    glob_t found;
    char *best = NULL;
    long newest = 0;

    if (glob(DEBIAN, 0, NULL, &found) != 0)
        return NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        long version = strtol(found.gl_pathv[i] + strcspn(DEBIAN, "*"), NULL, 10);
        if (version > newest && has_programs(found.gl_pathv[i])) {
            newest = version;
            mem_free(best);
            best = mem_strdup(found.gl_pathv[i]);
        }
    }
    globfree(&found);
    return best;
}

static char *
of_path(void)
{
    const char *path = getenv("PATH");

    for (const char *p = path; p && *p;) {
        size_t n = strcspn(p, ":");
        AUTO(mem_free) char *folder = mem_strndup(p, n);
        if (n > 0 && has_programs(folder)) {
            /* initdb looks for postgres beside what its link leads to */
            AUTO(mem_free) char *initdb = mem_printf("%s/initdb", folder);
            char *real = realpath(initdb, NULL);
            char *slash = real ? strrchr(real, '/') : NULL;
            char *out = mem_strndup(
                real ? real : "", slash ? (size_t)(slash - real) : 0);
            free(real);
            if (has_programs(out))
                return out;
            mem_free(out);
        }
        p += n + (p[n] == ':');
    }
    return NULL;
}

int
programs_find(const char *given, char **out, struct err *err)
{
    const char *variable = getenv("PG_CONFIG");

    if (given) {
        if (!has_programs(given))
            return err_set(err, -ENOENT,
                "%s: no initdb and postgres there; --pg-bin is the folder that holds the "
                "server's programs, such as /usr/lib/postgresql/15/bin",
                given);
        *out = mem_strdup(given);
        return 0;
    }
    char *folder = ask_pg_config(variable && *variable ? variable : "pg_config");
    if (folder && has_programs(folder)) {
        *out = folder;
        return 0;
    }
    mem_free(folder);
    if (variable && *variable)
        return err_set(err, -ENOENT,
            "PG_CONFIG=%s names no PostgreSQL with initdb and postgres; " INSTALL
            ", or give its folder with --pg-bin, or a server with --server",
            variable);
    folder = newest_of_debian();
    if (!folder)
        folder = of_path();
    if (!folder)
        return err_set(err, -ENOENT,
            "no PostgreSQL server on this machine for a scratch database; " INSTALL
            ", or give the folder of its programs with --pg-bin, or a server with --server");
    *out = folder;
    return 0;
}

int
programs_user(uid_t *uid, gid_t *gid, struct err *err)
{
    *uid = 0;
    *gid = 0;
    if (geteuid() != 0)
        return 0;
    const struct passwd *pw = getpwnam("postgres");
    if (!pw)
        pw = getpwnam("nobody");
    if (!pw || pw->pw_uid == 0)
        return err_set(err, -EPERM,
            "PostgreSQL does not run as root, and there is no user postgres or nobody to "
            "run it as; run ddlgate as another user, or give a server with --server");
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}
