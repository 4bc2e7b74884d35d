// SPDX-License-Identifier: ISC
/* Rows on their way into a history table by COPY FROM STDIN: kept back until all of them are
 * there and judged. Then the server gets them as one CopyData, or a CopyFail that names a
 * token. What is too much to be kept is judged as unknown rows.
 *
 * Data may be sent ahead of the CopyInResponse: what comes between the COPY and its end is
 * of this COPY, or of none that works. */
#include "base/mem.h"
#include "session/session.h"

#define MAX_DATA ((size_t)1 << 20) /* a history of 10,000 rows */

struct sess_hold {
    struct gate_text *text; /* owned reference: the COPY */
    struct buf data;
    bool is_over; /* the COPY has failed while its rows were judged */
};

void
sess_hold_begin(struct sess *s, struct gate_text *text)
{
    sess_hold_drop(s);
    s->hold = mem_alloc(sizeof(*s->hold));
    *s->hold = (struct sess_hold){ .text = ref_take(text), .data = BUF_INIT(MAX_DATA) };
}

bool
sess_hold_add(struct sess *s, const char *p, size_t n)
{
    return buf_add(&s->hold->data, p, n) == 0;
}

bool
sess_hold_has_room(const struct sess *s, size_t n)
{
    return n <= MAX_DATA - buf_len(&s->hold->data);
}

struct gate_text *
sess_hold_text(const struct sess *s)
{
    return s->hold->text;
}

struct str
sess_hold_data(const struct sess *s)
{
    size_t n = buf_len(&s->hold->data);
    return (struct str){ n ? buf_ptr(&s->hold->data) : "", n };
}

void
sess_hold_send(struct sess *s)
{
    struct str data = sess_hold_data(s);
    AUTO(buf_deinit) struct buf b = BUF_INIT(MAX_DATA + PGW_HEADER_SIZE);
    if (data.n && !s->hold->is_over) {
        pgw_build_copy_data(&b, data);
        sess_send(s, &s->server, buf_ptr(&b), buf_len(&b));
    }
    sess_hold_drop(s);
}

void
sess_hold_refuse(struct sess *s, const struct gate_message *m)
{
    if (!s->hold->is_over)
        sess_refuse_copy(s, m);
    sess_hold_drop(s);
}

void
sess_hold_drop(struct sess *s)
{
    if (!s->hold)
        return;
    ref_drop(s->hold->text);
    buf_deinit(&s->hold->data);
    mem_free(s->hold);
    s->hold = NULL;
}

void
sess_hold_over(struct sess *s)
{
    if (s->hold && s->request)
        s->hold->is_over = true; /* the judgement looks at the data */
    else
        sess_hold_drop(s);
}
