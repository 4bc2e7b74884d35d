// SPDX-License-Identifier: ISC
/* A client that says anything. The first byte chooses method, secret and channel; then come
 * messages, each after two bytes of length; @ in one stands for the nonce. Nobody logs in
 * without the password, and no reason tells it. */
#include "auth/server.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PASSWORD "open-sesame"

static const char *const secrets[] = {
    PASSWORD,
    "SCRAM-SHA-256$1:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    NULL,
};

static const enum auth_method methods[] = { AUTH_PASSWORD, AUTH_MD5, AUTH_SCRAM,
    AUTH_SCRAM };

/* The next message with the nonce put in; false at the end. */
static bool
take(const uint8_t **data, size_t *size, const char *nonce, struct buf *out)
{
    if (*size < 2)
        return false;
    size_t n = (size_t)(*data)[0] << 8 | (*data)[1];
    n = n < *size - 2 ? n : *size - 2;
    buf_reset(out);
    for (size_t i = 0; i < n; i++)
        if ((*data)[2 + i] == '@')
            buf_puts(out, nonce);
        else
            buf_put(out, *data + 2 + i, 1);
    *data += 2 + n;
    *size -= 2 + n;
    return true;
}

/* Of a body that is AuthenticationSASLContinue. */
static void
keep_nonce(struct buf *out, char nonce[512])
{
    static const char head[] = "\0\0\0\13r=";
    if (buf_len(out) < sizeof(head)
        || memcmp(buf_ptr(out), head, sizeof(head) - 1) != 0)
        return;
    const char *start = buf_cstr(out) + sizeof(head) - 1;
    size_t n = strcspn(start, ",");
    DG_ASSERT(n < 512, "a nonce of %zu bytes", n);
    memcpy(nonce, start, n);
    nonce[n] = 0;
}

static bool
is_password(enum auth_method method, const char *secret, const struct buf *in)
{
    return method == AUTH_PASSWORD && secret == secrets[0]
        && buf_len(in) == sizeof(PASSWORD)
        && memcmp(buf_ptr(in), PASSWORD, sizeof(PASSWORD)) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_secret s = { .kind = AUTH_SECRET_NONE };
    struct err err = { "" };
    char nonce[512] = "";

    if (size < 1)
        return 0;
    uint8_t choice = *data++;
    size--;
    const char *secret = secrets[choice & 3];
    enum auth_method method = methods[choice >> 2 & 3];
    if (secret) {
        int r = auth_secret_parse(str_of(secret), &s, &err);
        DG_ASSERT(r == 0, "%s", err.text);
    }
    struct buf out = BUF_INIT(AUTH_MAX_BODY), in = BUF_INIT((size_t)64 << 20);
    struct auth_server *a = auth_server_new(
        method, "app", secret ? &s : NULL, choice & 16 ? STR("binding") : STR(""));
    enum auth_step step = auth_server_next(a, NULL, &out, &err);
    DG_ASSERT(step == AUTH_GO_ON, "it is over at once: %s", err.text);
    while (step == AUTH_GO_ON && take(&data, &size, nonce, &in)) {
        struct str body = { buf_len(&in) ? buf_ptr(&in) : "", buf_len(&in) };
        buf_reset(&out);
        step = auth_server_next(a, &body, &out, &err);
        keep_nonce(&out, nonce);
        DG_ASSERT(step != AUTH_DONE || is_password(method, secret, &in),
            "somebody logged in");
        DG_ASSERT(step != AUTH_FAILED || (err.text[0] && buf_len(&out) == 0),
            "a failure without a reason, or with an answer");
        DG_ASSERT(!strstr(err.text, PASSWORD), "the reason tells the password");
    }
    auth_server_free(a);
    auth_secret_wipe(&s);
    buf_deinit(&out);
    buf_deinit(&in);
    return 0;
}
