// SPDX-License-Identifier: ISC
/* What psql sends of a file: commands, files that it runs, variables. */
#include <errno.h>

#include "base/buf.h"
#include "base/fs.h"
#include "history/psql.h"

#include "lib/unit.h"

/* --- one file ---------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
    const char *want; /* NULL: an error */
    const char *error;
} texts[] = {
    { "set, echo and timing are blanked",
        "\\set ON_ERROR_STOP on\n\\echo hi\n\\timing\nA;\n",
        "                     \n        \n       \nA;\n", NULL },
    { "quotes in arguments are not SQL's", "\\echo it's fine\nA;",
        "               \nA;", NULL },
    { "line ends stay", "\\x\r\nA;\r\n", "  \r\nA;\r\n", NULL },
    { "command after SQL", "A; \\echo x\nB;", "A;        \nB;", NULL },
    { "two commands in a line", "\\x \\echo x\nA;", "          \nA;", NULL },
    { "backslash in a string stays", "SELECT '\\set x';", "SELECT '\\set x';", NULL },
    { "backslash in a comment stays", "-- \\i x\n/* \\i y */ A;",
        "-- \\i x\n/* \\i y */ A;", NULL },
    { "backslash in a body stays", "DO $$ '\\i x' $$;", "DO $$ '\\i x' $$;", NULL },
    { "joined messages", "A\\;B;", "A ;B;", NULL },
    { "catalogue listings", "\\d+ t\n\\dt\n\\l\nA;", "     \n   \n  \nA;", NULL },
    { "UTF8 encoding", "\\encoding UTF8\nA;", "              \nA;", NULL },
    { "other encoding", "\\encoding LATIN1\nA;", NULL,
        "f.sql:1: \\encoding changes the encoding; migration files are read as UTF-8" },
    { "gexec", "SELECT 'DROP TABLE x' \\gexec\n", NULL,
        "f.sql:1: \\gexec sends what the gate can't foresee; end the statement with ; and "
        "write its results out" },
    { "if", "\\if :x\nA;\n\\endif\n", NULL,
        "f.sql:1: \\if makes what runs depend on psql variables; write the statements "
        "unconditionally" },
    { "shell", "\\! rm x\n", NULL,
        "f.sql:1: \\! can't be part of a migration; remove it" },
    { "large objects", "\\lo_import x\n", NULL,
        "f.sql:1: \\lo_import can't be part of a migration; remove it" },
    { "cast is no variable", "\\set int 1\nSELECT 1::int;",
        "          \nSELECT 1::int;", NULL },
    { "copied rows", "COPY t (a) FROM STDIN;\n1\tDROP TABLE x;\n\\.\nA;",
        "COPY t (a) FROM STDIN;\n               \n  \nA;", NULL },
    { "copy to standard output", "COPY t TO STDOUT;\nA;", "COPY t TO STDOUT;\nA;",
        NULL },
    { "copy of a query that reads stdin", "COPY (SELECT 1 FROM stdin) TO '/x';\nA;",
        "COPY (SELECT 1 FROM stdin) TO '/x';\nA;", NULL },
    { "broken text is left to the scan", "A 'x", "A 'x", NULL },
    { "copied rows of an option", "copy t from stdin with csv;\nx\n\\.\nA;",
        "copy t from stdin with csv;\n \n  \nA;", NULL },
    { "copied rows without an end", "A;\nCOPY t FROM STDIN;\n\\1\n", NULL,
        "f.sql:2: COPY ... FROM STDIN whose data don't end; add a line \\." },
    { "connect", "A;\n\\c other\n", NULL,
        "f.sql:2: \\c goes to another database or user; one migration is one database's" },
    { "connect, long", "\\connect - bob\n", NULL,
        "f.sql:1: \\connect goes to another database or user; one migration is one "
        "database's" },
    { "a variable of the server", "\\gset\n", NULL,
        "f.sql:1: \\gset sends what the gate can't foresee; end the statement with ; and "
        "write its results out" },
    { "a variable of the shell", "\\getenv x HOME\n", NULL,
        "f.sql:1: \\getenv can't be part of a migration; remove it" },
    /* variables */
    { "set and used", "\\set tbl orders\nDROP TABLE :tbl;",
        "               \nDROP TABLE orders;", NULL },
    { "as a name", "\\set tbl 'my \"own\" table'\nDROP TABLE :\"tbl\";",
        "                         \nDROP TABLE \"my \"\"own\"\" table\";", NULL },
    { "as a constant", "\\set who 'O''Neil'\nSELECT :'who';",
        "                  \nSELECT 'O''Neil';", NULL },
    { "as a constant with a backslash", "\\set d 'a\\\\b'\nSELECT :'d';",
        "             \nSELECT  E'a\\\\b';", NULL },
    { "joined arguments", "\\set a x y 'z z'\nSELECT :'a';",
        "                \nSELECT 'xyz z';", NULL },
    { "escapes", "\\set a 'x\\ty\\x41\\101\\'''\nSELECT :'a';",
        "                        \nSELECT 'x\tyAA''''';", NULL },
    { "empty", "\\set a\nSELECT 1 :a;", "      \nSELECT 1 ;", NULL },
    { "the last value counts", "\\set a 1\n\\set a 2\nSELECT :a;",
        "        \n        \nSELECT 2;", NULL },
    { "only from there on", "\\set a 1\nSELECT :a;\n\\set a 2\nSELECT :a;",
        "        \nSELECT 1;\n        \nSELECT 2;", NULL },
    { "in another one's value", "\\set a 1\n\\set b :a:a\nSELECT :b;",
        "        \n           \nSELECT 11;", NULL },
    { "of the section", "SELECT :owner;", "SELECT alice;", NULL },
    { "of the section, set anew", "\\set owner bob\nSELECT :owner;",
        "              \nSELECT bob;", NULL },
    { "is it set?", "SELECT :{?owner}, :{?other};", "SELECT TRUE, FALSE;", NULL },
    { "unset", "\\unset owner\nSELECT :{?owner};", "            \nSELECT FALSE;",
        NULL },
    { "not in constants", "\\set a 1\nSELECT ':a', ':''a''';",
        "        \nSELECT ':a', ':''a''';", NULL },
    { "not in names", "\\set a 1\nSELECT \":a\";", "        \nSELECT \":a\";", NULL },
    { "not in bodies", "\\set a 1\nDO $$ :a $$;", "        \nDO $$ :a $$;", NULL },
    { "not in comments", "\\set a 1\n-- :a\n/* :a */ B;",
        "        \n-- :a\n/* :a */ B;", NULL },
    { "not in casts", "\\set int 1\nSELECT 1::int;", "          \nSELECT 1::int;",
        NULL },
    { "not in assignments", "\\set a 1\nCALL f(b :=a, c := :a);",
        "        \nCALL f(b :=a, c := 1);", NULL },
    { "an array's bounds", "\\set m 2\nSELECT a[1:n], a[1:m];",
        "        \nSELECT a[1:n], a[12];", NULL },
    { "numbers are names", "\\set 1 x\nSELECT :1;", "        \nSELECT x;", NULL },
    { "next to a word", "\\set a 1\nSELECT x:a.b;", "        \nSELECT x1.b;", NULL },
    { "several statements", "\\set a 'B; C'\n:a;\n\\echo x",
        "             \nB; C;\n       ", NULL },
    { "no value", "A;\nDROP TABLE :tbl;", NULL,
        "f.sql:2: :tbl is a psql variable without a value here; \\set it in the file, or "
        "set placeholder.tbl in the [migrations] section" },
    { "no value, in quotes", "SELECT :'tbl';", NULL,
        "f.sql:1: :tbl is a psql variable without a value here; \\set it in the file, or "
        "set placeholder.tbl in the [migrations] section" },
    { "psql's own", "GRANT SELECT ON t TO :\"USER\";", NULL,
        "f.sql:1: :USER is what psql knows when it runs; write the value, or set "
        "placeholder.USER in the [migrations] section" },
    { "of the shell", "\\set a `whoami`\nSELECT :'a';", NULL,
        "f.sql:2: :a is a psql variable, whose value the gate can't know; write the "
        "value" },
    { "of the shell, not used", "\\set a `whoami`\nB;", "               \nB;", NULL },
    { "of the shell, by way of another", "\\set a `whoami`\n\\set b x:a\nSELECT :b;",
        NULL,
        "f.sql:3: :b is a psql variable, whose value the gate can't know; write the "
        "value" },
    { "values without end", "\\set a :b\n\\set b :a\n\\set a :b\nSELECT :a;", NULL,
        "f.sql:4: psql variables whose values name each other" },
    { "half a constant", "\\set a '''x'\nSELECT :a';", NULL,
        "f.sql:2: a psql variable whose value ends inside a quote or comment; write it "
        "out" },
    { "a command in a value", "\\set a '\\\\i x'\n:a", NULL,
        "f.sql:2: a psql variable whose value holds a \\; write it out" },
    { "bad name", "\\set a-b 1\n", NULL,
        "f.sql:1: \\set a-b: a psql variable's name is letters, digits and _" },
    { "line ends that end statements", "\\set SINGLELINE on\n", NULL,
        "f.sql:1: \\set SINGLELINE ends statements at line ends; remove it" },
    /* \copy */
    { "copy of a client's file", "\\copy t from 'x.csv'\nA;", "COPY t from STDIN;\nA;",
        NULL },
    { "copy with options",
        "\\copy s.t (a, \"B\") FROM /tmp/x.csv with (format csv);\nA;",
        "COPY s.t (a, \"B\") FROM STDIN with (format csv);\nA;", NULL },
    { "copy of a program", "\\copy t from program 'zcat x' csv\nA;",
        "COPY t from STDIN csv;\nA;", NULL },
    { "copy to a file", "\\copy (select 1 from x) to 'y'\nA;",
        "COPY (select 1 from x) to STDOUT;\nA;", NULL },
    { "copy of rows that follow", "\\copy t from stdin\n1\tA;\n\\.\nB;",
        "COPY t from STDIN;\n    \n  \nB;", NULL },
    { "copy inside a statement", "SELECT\n\\copy t from 'x'\n", NULL,
        "f.sql:2: \\copy stands inside a statement; end that with ; before it" },
    { "copy that can't be read", "\\copy t\n", NULL,
        "f.sql:1: \\copy can't be read; write it as \\copy TABLE FROM 'file' in one "
        "line" },
    /* files without a folder */
    { "include from nowhere", "\\i other.sql\n", NULL,
        "f.sql:1: \\i other.sql runs another file, which is none that can be found from "
        "here" },
};

static const char *const variables[] = { "owner", "alice" };

START_TEST(text_is_what_psql_sends)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_psql conf = {
        .variables = variables, .n_variables = 1, .max_bytes = 1 << 20, .arena = a
    };
    struct hist_sent *sent = NULL;
    struct err err = { "" };
    char *text = strdup(texts[_i].text);
    int r = hist_psql_read(&conf, "f.sql", text, strlen(text), &sent, &err);

    CASE_STR(&texts[_i], err.text, texts[_i].error ? texts[_i].error : "");
    CASE_INT(&texts[_i], r, texts[_i].want ? 0 : -EINVAL);
    if (texts[_i].want)
        CASE_STR(&texts[_i], sent ? sent->text : text, texts[_i].want);
    free(text);
}
END_TEST

START_TEST(what_may_be_no_psql_variable_stays)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_psql conf = { .max_bytes = 1 << 20, .arena = a, .is_lenient = true };
    struct hist_sent *sent = NULL;
    struct err err = { "" };
    char text[] = "SELECT :a, :'b', :USER; \\set a 1\n";

    ck_assert_int_eq(hist_psql_read(&conf, "f", text, strlen(text), &sent, &err), 0);
    ck_assert_ptr_null(sent);
    ck_assert_str_eq(text, "SELECT :a, :'b', :USER;         \n");
}
END_TEST

/* --- several files ----------------------------------------------------------------------- */

struct file {
    const char *name, *text; /* "-> target": a link */
};

static const struct {
    const char *name;
    struct file files[5]; /* the first is read */
    const char *want;
    const char *error; /* DIR: the folder */
} runs[] = {
    { "beside it", { { "m/a.sql", "A;\n\\ir b.sql\nC;\n" }, { "m/b.sql", "B;\n" } },
        "A;\n\nB;\n\n;\nC;\n", NULL },
    { "as seen from the folder",
        { { "m/a.sql", "\\i lib/b.sql" }, { "m/lib/b.sql", "B" } }, "\nB\n;", NULL },
    { "as seen from above", { { "m/a.sql", "\\i m/b.sql;\nC;" }, { "m/b.sql", "B;" } },
        "\nB;\n;\nC;", NULL },
    { "relative to the file that runs it",
        { { "m/a.sql", "\\ir lib/b.sql\n" }, { "m/lib/b.sql", "\\ir c.sql\nB;" },
            { "m/lib/c.sql", "C;" }, { "m/c.sql", "D;" } },
        "\n\nC;\n;\nB;\n;\n", NULL },
    { "quoted name",
        { { "m/a.sql", "\\include_relative 'a b.sql'\n" }, { "m/a b.sql", "B;" } },
        "\nB;\n;\n", NULL },
    { "name in a variable",
        { { "m/a.sql", "\\set d lib\n\\ir :d/b.sql\n" }, { "m/lib/b.sql", "B;" } },
        "          \n\nB;\n;\n", NULL },
    { "variables go along both ways",
        { { "m/a.sql", "\\set x 1\n\\ir b.sql\nSELECT :y;" },
            { "m/b.sql", "\\set y 2\nSELECT :x;" } },
        "        \n\n        \nSELECT 1;\n;\nSELECT 2;", NULL },
    { "twice is no loop",
        { { "m/a.sql", "\\ir b.sql\n\\ir b.sql\n" }, { "m/b.sql", "B;" } },
        "\nB;\n;\n\nB;\n;\n", NULL },
    { "a comment at its end",
        { { "m/a.sql", "\\ir b.sql\nA;" }, { "m/b.sql", "B -- x" } }, "\nB -- x\n;\nA;",
        NULL },
    { "byte order mark",
        { { "m/a.sql", "\\ir b.sql\n" },
            { "m/b.sql",
                "\xef\xbb\xbf"
                "B;" } },
        "\nB;\n;\n", NULL },
    { "a link that stays inside",
        { { "m/a.sql", "\\ir b.sql\n" }, { "m/b.sql", "-> c.sql" },
            { "m/c.sql", "C;" } },
        "\nC;\n;\n", NULL },
    { "it isn't there", { { "m/a.sql", "A;\n\\ir b.sql\n" } }, NULL,
        "DIR/m/a.sql:2: \\ir b.sql: No such file or directory" },
    { "it is nowhere", { { "m/a.sql", "A;\n\\i b.sql\n" } }, NULL,
        "DIR/m/a.sql:2: \\i b.sql: No such file or directory" },
    { "out of the folder", { { "m/a.sql", "\\ir ../b.sql\n" }, { "b.sql", "B;" } },
        NULL,
        "DIR/m/a.sql:1: \\ir ../b.sql leads out of the folder DIR/m; what a migration runs "
        "must stand in it" },
    { "out of the folder by its name",
        { { "m/a.sql", "\\i b.sql\n" }, { "b.sql", "B;" } }, NULL,
        "DIR/m/a.sql:1: \\i b.sql leads out of the folder DIR/m; what a migration runs "
        "must stand in it" },
    { "out of the folder by a link",
        { { "m/a.sql", "\\ir b.sql\n" }, { "m/b.sql", "-> ../b.sql" },
            { "b.sql", "B;" } },
        NULL,
        "DIR/m/a.sql:1: \\ir b.sql leads out of the folder DIR/m; what a migration runs "
        "must stand in it" },
    { "absolute", { { "m/a.sql", "\\i /etc/passwd\n" } }, NULL,
        "DIR/m/a.sql:1: \\i /etc/passwd leads out of the folder DIR/m; what a migration "
        "runs must stand in it" },
    { "a loop of links",
        { { "m/a.sql", "\\ir b.sql\n" }, { "m/b.sql", "-> c.sql" },
            { "m/c.sql", "-> b.sql" } },
        NULL, "DIR/m/a.sql:1: \\ir b.sql: Too many levels of symbolic links" },
    { "itself", { { "m/a.sql", "A;\n\\ir a.sql\n" } }, NULL,
        "DIR/m/a.sql:2: \\ir DIR/m/a.sql: the file would run itself without end" },
    { "itself by way of another",
        { { "m/a.sql", "\n\\ir b.sql\n" }, { "m/b.sql", "B;\n\n\\ir a.sql\n" } }, NULL,
        "DIR/m/b.sql:3: \\ir DIR/m/a.sql: the file would run itself without end (run by "
        "DIR/m/a.sql:2)" },
    { "two that it may be",
        { { "m/a.sql", "\\i m/b.sql\n" }, { "m/b.sql", "B;" }, { "m/m/b.sql", "C;" } },
        NULL,
        "DIR/m/a.sql:1: \\i m/b.sql may mean two files, depending on where psql is started; "
        "use \\ir" },
    { "inside a statement",
        { { "m/a.sql", "SELECT\n\\ir b.sql\n;" }, { "m/b.sql", "1" } }, NULL,
        "DIR/m/a.sql:2: \\ir b.sql stands inside a statement; end that with ; before it" },
    { "error in it",
        { { "m/a.sql", "A;\n\\ir b.sql\n" }, { "m/b.sql", "\n\n\\c x\n" } }, NULL,
        "DIR/m/b.sql:3: \\c goes to another database or user; one migration is one "
        "database's (run by DIR/m/a.sql:2)" },
    { "broken quotes in it",
        { { "m/a.sql", "\\ir b.sql\nA';" }, { "m/b.sql", "B;\nSELECT 'x" } }, NULL,
        "DIR/m/b.sql:2: a quote or comment that doesn't end (run by DIR/m/a.sql:1)" },
    { "broken UTF-8 in it", { { "m/a.sql", "\\ir b.sql\n" }, { "m/b.sql", "\n\xff" } },
        NULL,
        "DIR/m/b.sql:2: byte 0xff is not valid UTF-8; save the file as UTF-8 (run by "
        "DIR/m/a.sql:1)" },
    { "a folder", { { "m/a.sql", "\\ir lib\n" }, { "m/lib/b.sql", "" } }, NULL,
        "DIR/m/lib: Is a directory (run by DIR/m/a.sql:1)" },
    { "of the shell", { { "m/a.sql", "\\i `ls`\n" } }, NULL,
        "DIR/m/a.sql:1: \\i: which file it is depends on the shell; write its name" },
    { "of somebody's home", { { "m/a.sql", "\\i ~/x.sql\n" } }, NULL,
        "DIR/m/a.sql:1: \\i: which file it is depends on the shell; write its name" },
    { "no name", { { "m/a.sql", "\\i\n" } }, NULL, "DIR/m/a.sql:1: \\i names no file" },
};

static void
make_files(const char *dir, const struct file *files)
{
    static const char *const folders[] = { "m", "m/lib", "m/m" };

    for (size_t i = 0; i < 3; i++) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, folders[i]);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    for (size_t i = 0; i < 5 && files[i].name; i++) {
        AUTO(mem_free) char *path = mem_printf("%s/%s", dir, files[i].name);
        if (str_prefix(files[i].text, "-> "))
            ck_assert_int_eq(symlink(files[i].text + 3, path), 0);
        else
            free(unit_write(dir, files[i].name, files[i].text, strlen(files[i].text)));
    }
}

/* DIR stands for the folder. */
static char *
with_dir(const char *s, const char *dir)
{
    AUTO(mem_free) char *rest = mem_strdup(s);
    char *out = mem_strdup(""), *at = rest;

    for (char *p; (p = strstr(at, "DIR")); at = p + 3) {
        *p = 0;
        char *more = mem_printf("%s%s%s", out, at, dir);
        mem_free(out);
        out = more;
    }
    char *all = mem_printf("%s%s", out, at);
    mem_free(out);
    return all;
}

static int
read_first(const char *dir, struct arena *a, struct hist_sent **sent, struct err *err)
{
    AUTO(mem_free) char *folder = mem_printf("%s/m", dir);
    AUTO(mem_free) char *path = mem_printf("%s/m/a.sql", dir);
    struct hist_psql conf = {
        .folder = arena_strdup(a, folder), .max_bytes = 1 << 20, .arena = a
    };
    AUTO(mem_free) char *text = NULL;
    size_t n;

    ck_assert_int_eq(fs_read(path, 1 << 20, &text, &n, err), 0);
    int r = hist_psql_read(&conf, path, text, n, sent, err);
    ck_assert(r || *sent);
    return r;
}

START_TEST(files_stand_in_their_place)
{
    AUTO(arena_free) struct arena *a = arena_new();
    char *dir = unit_mkdir();
    AUTO(mem_free) char *error = with_dir(runs[_i].error ? runs[_i].error : "", dir);
    struct hist_sent *sent = NULL;
    struct err err = { "" };

    make_files(dir, runs[_i].files);
    int r = read_first(dir, a, &sent, &err);
    CASE_STR(&runs[_i], err.text, error);
    CASE_INT(&runs[_i], r < 0, runs[_i].want == NULL);
    if (runs[_i].want)
        CASE_STR(&runs[_i], sent->text, runs[_i].want);
    unit_rmdir(dir);
}
END_TEST

START_TEST(statements_keep_file_and_line)
{
    static const struct file files[5] = {
        { "m/a.sql", "\\set x 'one\\ntwo'\nA;\n\n\\ir b.sql\nSELECT :'x';\nD; E;\n" },
        { "m/b.sql", "\n\nB;\n\\ir lib/c.sql\nB2" },
        { "m/lib/c.sql", "-- c\nC;\n" },
    };
    static const struct {
        const char *file;
        int line;
    } want[] = { { "m/a.sql", 2 }, { "m/b.sql", 3 }, { "m/lib/c.sql", 2 },
        { "m/b.sql", 5 }, { "m/a.sql", 5 }, { "m/a.sql", 6 }, { "m/a.sql", 6 } };
    AUTO(arena_free) struct arena *a = arena_new();
    AUTO(sql_scan_deinit) struct sql_scan scan = { 0 };
    char *dir = unit_mkdir();
    struct hist_sent *sent = NULL;
    struct err err = { "" };

    make_files(dir, files);
    ck_assert_msg(read_first(dir, a, &sent, &err) == 0, "%s", err.text);
    ck_assert_int_eq(sql_scan(&scan, NULL, sent->text, sent->len, true, 100, &err), 0);
    ck_assert_uint_eq(scan.n, 7);
    for (size_t i = 0; i < 7; i++) {
        const char *file;
        int line, text_line = scan.stmts[i].line;
        hist_sent_place(sent, text_line, &file, &line);
        ck_assert_msg(str_suffix(file, want[i].file), "%zu: %s", i, file);
        ck_assert_str_eq(hist_sent_file(sent, scan.stmts[i].start), file);
        if (i != 4) /* inside of a value a line has no other */
            ck_assert_msg(line == want[i].line, "%zu: %d", i, line);
    }
    hist_sent_lines(sent, &scan);
    for (size_t i = 0; i < 7; i++)
        ck_assert_msg(
            scan.stmts[i].line == want[i].line, "%zu: %d", i, scan.stmts[i].line);
    unit_rmdir(dir);
}
END_TEST

/* Two lines a file, ten files: a thousand times a thousand statements. */
START_TEST(files_that_run_files_have_an_end)
{
    AUTO(arena_free) struct arena *a = arena_new();
    char *dir = unit_mkdir();
    AUTO(mem_free) char *folder = mem_printf("%s/m", dir);
    struct hist_sent *sent = NULL;
    struct err err = { "" };

    ck_assert_int_eq(mkdir(folder, 0755), 0);
    for (int i = 0; i < 14; i++) {
        AUTO(mem_free) char *name = mem_printf("m/%c.sql", 'a' + i);
        AUTO(mem_free)
        char *text = mem_printf("\\ir %c.sql\n\\ir %c.sql\n", 'b' + i, 'b' + i);
        free(unit_write(dir, name, text, strlen(text)));
    }
    free(unit_write(dir, "m/o.sql", "A;", 2));
    ck_assert_int_lt(read_first(dir, a, &sent, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "too many"));
    unit_rmdir(dir);
}
END_TEST

START_TEST(values_that_grow_have_an_end)
{
    AUTO(arena_free) struct arena *a = arena_new();
    struct hist_psql conf = { .max_bytes = 1 << 20, .arena = a };
    AUTO(buf_deinit) struct buf b = BUF_INIT(1 << 20);
    struct hist_sent *sent = NULL;
    struct err err = { "" };

    buf_puts(&b, "\\set a x\n");
    for (int i = 0; i < 30; i++)
        buf_puts(&b, "\\set a :a:a:a\n");
    buf_puts(&b, "SELECT :a;");
    char *text = mem_strdup(buf_cstr(&b));
    ck_assert_int_eq(
        hist_psql_read(&conf, "f", text, strlen(text), &sent, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, ": a psql variable of more than"));
    mem_free(text);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("history_psql");
    TCase *tc = tcase_create("psql");

    tcase_add_loop_test(tc, text_is_what_psql_sends, 0, DG_ARRAY_SIZE(texts));
    tcase_add_test(tc, what_may_be_no_psql_variable_stays);
    tcase_add_loop_test(tc, files_stand_in_their_place, 0, DG_ARRAY_SIZE(runs));
    tcase_add_test(tc, statements_keep_file_and_line);
    tcase_add_test(tc, files_that_run_files_have_an_end);
    tcase_add_test(tc, values_that_grow_have_an_end);
    suite_add_tcase(s, tc);
    return s;
}

int
main(void)
{
    return unit_main(suite());
}
