// SPDX-License-Identifier: ISC
/* A server that says anything. The first byte chooses what the gate has; then come bodies,
 * each after two bytes of length; @ in one stands for the client's nonce. A server that
 * asked for SCRAM is not believed without a signature, which it can't have here, and no
 * reason tells the password. */
#include "auth/client.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PASSWORD "open-sesame"

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

/* Five digits and more are allowed, and take the time of a second each. */
static bool
is_slow(const uint8_t *data, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
        if (digits > 4)
            return true;
    }
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_secret secret = { .kind = AUTH_SECRET_PLAIN };
    struct auth_proof proof = { .has_client_key = true, .iterations = 4096 };
    char password[] = PASSWORD, salt[] = "salt", nonce[64] = "";
    struct err err = { "" };
    bool is_scram = false;

    if (size < 1 || is_slow(data, size))
        return 0;
    uint8_t choice = *data++;
    size--;
    secret.text = password;
    proof.salt = salt;
    proof.salt_len = 4;
    struct auth_client_args args = { .user = "app",
        .secret = choice & 1 ? &secret : NULL,
        .proof = choice & 2 ? &proof : NULL,
        .binding = choice & 4 ? STR("binding") : STR("") };
    struct auth_client *a = auth_client_new(&args);
    struct buf out = BUF_INIT(AUTH_MAX_BODY), in = BUF_INIT((size_t)8 << 20);
    enum auth_step step = AUTH_GO_ON;
    while (step == AUTH_GO_ON && take(&data, &size, nonce, &in)) {
        buf_reset(&out);
        step = auth_client_next(a,
            (struct str){ buf_len(&in) ? buf_ptr(&in) : "", buf_len(&in) }, &out, &err);
        const char *r = is_scram || !buf_len(&out)
            ? NULL
            : memmem(buf_ptr(&out), buf_len(&out), ",r=", 3);
        if (r) {
            is_scram = true;
            snprintf(nonce, sizeof(nonce), "%.*s",
                (int)(buf_ptr(&out) + buf_len(&out) - r - 3), r + 3);
        }
        DG_ASSERT(step != AUTH_DONE || !is_scram, "a server without the secret");
        DG_ASSERT(step != AUTH_FAILED || (err.text[0] && buf_len(&out) == 0),
            "a failure without a reason, or with an answer");
        DG_ASSERT(!strstr(err.text, PASSWORD), "the reason tells the password");
    }
    auth_client_free(a);
    buf_deinit(&out);
    buf_deinit(&in);
    return 0;
}
