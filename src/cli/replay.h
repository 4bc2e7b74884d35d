// SPDX-License-Identifier: ISC
/* The audit judged again: records are read and put together to the requests they came from,
 * and each request is asked of another policy, with the code that the gate runs and the
 * circumstances that the record tells. What a record doesn't tell is unknown, which may only
 * make the answer stricter; what can't be judged at all is counted with the reason.
 * thread: one whose stack parsing needs (SQL_TREE_PARSER_STACK) */
#ifndef DG_CLI_REPLAY_H
#define DG_CLI_REPLAY_H

#include "gate/decide.h"

/* A recorded statement. Strings live in the replay's arena. */
struct replay_stmt {
    const char *text, *digest, *cls, *object;
    bool is_cut;
    const char *match, *write; /* words of history/audited.h; NULL: not told */
    const char *edited, *missing;
    const char *source, *version, *file; /* its migration; NULL: none */
};

/* What was decided, or would be. */
struct replay_verdict {
    enum dg_action enforced;
    enum dg_action observed; /* stricter, but under mode = observe; else DG_ALLOW */
    const char *rule;        /* NULL: nothing was found */
    const char *rule_set;    /* "staging.ini:14" */
    const char *message;     /* of the new decision */
};

struct replay_request {
    const char *time, *session, *id, *user, *database, *environment;
    const char *client_addr, *application_name, *tls, *cn, *peer_uid, *listener;
    const char *search_path, *error;
    int64_t time_us;
    uint64_t message;
    int server_version;
    int in_transaction; /* -1: not told */
    unsigned epoch;     /* counts the transactions of its session */
    bool is_non_std_strings, is_refused;
    /* of a refused text of several statements */
    const char *whole, *whole_history;
    bool is_whole_cut;
    struct replay_stmt *stmts; /* owned */
    size_t n_stmts, cap_stmts;
    struct replay_verdict was, now;
    const char *skipped; /* why it can't be judged; NULL: it was */
    bool is_masked;      /* some constants were */
    bool is_blind; /* a rule asks for facts of the server, which no record holds */
};

struct replay {
    struct replay_request *requests; /* owned, in the order of the files */
    size_t n, cap;
    uint64_t n_bad; /* lines that are no records, passed over */
    struct arena *arena;
    /* of reading */
    struct map *sessions; /* id -> struct reading's index plus one, see replay_read.c */
    struct replay_state *states;
    size_t n_states, cap_states;
};

void replay_init(struct replay *r);
void replay_deinit(struct replay *r);
/* One more file of the audit. 0 or -errno with err. */
int replay_read(struct replay *r, const char *file, struct err *err) MUST_CHECK;

/* policy: for every database, or NULL: those of snap. snap: the configuration's migrations,
 * which are judged whole, as the gate does; NULL: a migration is what the records show of
 * it, and rules about the file as a whole are left out. */
void replay_judge(
    struct replay *r, const struct pol *policy, const struct gate_snapshot *snap);

/* Is the decision another one? False for what was skipped. */
bool replay_is_changed(const struct replay_request *q);
/* "reject", "would reject" (allowed, but observed), "warn" */
void replay_verdict_text(const struct replay_verdict *v, char out[32]);

static inline void
replay_deinit_p(struct replay *r)
{
    replay_deinit(r);
}

#endif
