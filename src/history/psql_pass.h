// SPDX-License-Identifier: ISC
/* The pass over a file that psql runs, as the psql_*.c files share it. */
#ifndef DG_HISTORY_PSQL_PASS_H
#define DG_HISTORY_PSQL_PASS_H

#include "base/buf.h"
#include "base/map.h"
#include "history/psql.h"

#include <sys/stat.h>

#define PSQL_MAX_NAME  100 /* bytes of a variable's name that messages show */
#define PSQL_MAX_VALUE ((size_t)1 << 20) /* bytes of a value, and of an argument */

struct psql_variable {
    char *value; /* owned; NULL: what the shell says */
};

/* The files that are being run, outermost first. */
struct psql_running {
    dev_t dev;
    ino_t ino;
    const char *path;
};

/* All that one file leads to. */
struct psql_run {
    const struct hist_psql *conf;
    struct buf out;
    bool is_other; /* out is no longer what blanking in place would give */
    const char **files;
    size_t n_files, cap_files;
    struct hist_piece *pieces;
    size_t n_pieces, cap_pieces;
    struct map *variables; /* name -> struct psql_variable */
    struct psql_running stack[HIST_PSQL_MAX_DEPTH];
    size_t depth, n_runs;
    char *real_folder; /* owned; resolved when first asked for */
    struct err *err;
};

/* One file. */
struct psql_pass {
    struct psql_run *run;
    const char *path;
    const char *p;
    size_t n;
    size_t file;
    size_t copied;  /* bytes of p that are in out */
    size_t line_at; /* a byte whose line is known */
    int line;
    /* the statement under way */
    size_t n_words, depth, n_brackets;
    bool is_copy, saw_from, saw_stdin;
    bool is_too_long; /* some value was, and is not to be used */
};

/* --- psql.c --- */
int psql_line_of(struct psql_pass *b, size_t pos);
/* -EINVAL with "file:line: ..." */
int psql_fault(struct psql_pass *b, size_t pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What comes out: these bytes; what follows is of that line of the pass's file; the file's
 * own bytes up to pos; something else in their place. Each 0 or -EFBIG with err. */
int psql_put(struct psql_pass *b, const char *p, size_t n);
void psql_piece(struct psql_pass *b, int line, bool is_value);
int psql_copy_up_to(struct psql_pass *b, size_t pos);
int psql_replace_up_to(struct psql_pass *b, size_t to, const char *text, size_t n);
/* One file, as one that is being run. */
int psql_run_file(struct psql_run *r, const char *path, size_t file, const char *p,
    size_t n, const struct stat *st);

/* --- psql_variable.c --- */
void psql_variable_free(void *p);
void psql_variable_set(struct psql_run *r, struct str name, const char *value);
/* A colon outside of quotes. *pos is left behind what was read. */
int psql_on_colon(struct psql_pass *b, size_t *pos);
/* The end of a command's arguments: the line's end, or the next backslash outside quotes. */
size_t psql_args_end(const struct psql_pass *b, size_t pos);
/* The next argument, appended to out: 0; 1: there is none. *is_open: the shell decides. */
int psql_next_arg(
    struct psql_pass *b, size_t *pos, size_t end, struct buf *out, bool *is_open);
/* \set NAME [VALUE...] and \unset NAME */
int psql_set(struct psql_pass *b, size_t pos, size_t from, size_t end);
int psql_unset(struct psql_pass *b, size_t from, size_t end);

/* --- psql_include.c --- */
/* \i and \ir: the file's statements stand in the place of the command. */
int psql_include(
    struct psql_pass *b, size_t pos, const char *command, size_t from, size_t end);

static inline bool
psql_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static inline bool
psql_is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || c == '_' || (unsigned char)c >= 0x80;
}

#endif
