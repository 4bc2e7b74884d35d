// SPDX-License-Identifier: ISC
/* Liquibase's changelogs in XML, YAML and JSON, which the gate doesn't read. */
#ifndef DG_HISTORY_CHANGELOG_H
#define DG_HISTORY_CHANGELOG_H

#include "history/source.h"

/* By its suffix. */
bool hist_may_be_changelog(const char *relpath);
/* -EINVAL, with file and line, if it is a changelog that has changesets of its own. */
int hist_changelog_check(const char *path, const char *p, size_t n, struct err *err)
    MUST_CHECK;

#endif
