// SPDX-License-Identifier: ISC
/* Runs a fuzz target over the files of its corpus folders, each in memory of exactly its
 * size: the target as a test, without libFuzzer. No file at all is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_FILE (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
    static uint8_t text[MAX_FILE];
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text, f);
    int is_whole = feof(f) || fgetc(f) == EOF;
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact || !is_whole) {
        fprintf(stderr, "%s: cannot be replayed\n", path);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        exact[i] = text[i];
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int
main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        for (struct dirent *e; dir && (e = readdir(dir));) {
            char path[4096];
            if (e->d_name[0] != '.'
                && (size_t)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name)
                    < sizeof path)
                n += replay_file(path);
        }
        if (dir)
            closedir(dir);
    }
    printf("%d files\n", n);
    return n > 0 ? 0 : 1;
}
