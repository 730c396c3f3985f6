#include "extract/retry.h"

#include <curl/curl.h>
#include <stddef.h>

static const long TRANSIENT_STATUS[] = {408, 429, 500, 502, 503, 504};

/* UNSUPPORTED_PROTOCOL: what came is no HTTP, such as the rest of a body longer than its Content-Length; URLs of other
 * schemes are refused before. */
static const int TRANSIENT_CODE[] = {
    CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_WEIRD_SERVER_REPLY,
    CURLE_HTTP2,                 CURLE_HTTP2_STREAM,         CURLE_PARTIAL_FILE,    CURLE_OPERATION_TIMEDOUT,
    CURLE_SSL_CONNECT_ERROR,     CURLE_GOT_NOTHING,          CURLE_SEND_ERROR,      CURLE_RECV_ERROR,
    CURLE_BAD_CONTENT_ENCODING,  CURLE_PROXY,                CURLE_UNSUPPORTED_PROTOCOL,
};

static bool is_transient(const struct retry_case *c)
{
    if (c->code == CURLE_OK) {
        for (size_t i = 0; i < sizeof TRANSIENT_STATUS / sizeof *TRANSIENT_STATUS; i++)
            if (c->status == TRANSIENT_STATUS[i])
                return true;
        return false;
    }
    for (size_t i = 0; i < sizeof TRANSIENT_CODE / sizeof *TRANSIENT_CODE; i++)
        if (c->code == TRANSIENT_CODE[i])
            return true;
    return false;
}

static int64_t backoff_ms(const struct retry_policy *policy, const struct retry_case *c)
{
    int64_t most = policy->base_ms;
    for (int i = 1; i < c->attempt && most < policy->cap_ms; i++)
        most *= 2;
    if (most > policy->cap_ms)
        most = policy->cap_ms;
    return (int64_t)(c->random % (uint64_t)(most + 1));
}

/* What the server asks for is kept, with a little on top so that everybody does not come back at once. */
static int64_t wait_ms(const struct retry_policy *policy, const struct retry_case *c)
{
    if (c->retry_after_ms < 0)
        return backoff_ms(policy, c);
    return c->retry_after_ms + (int64_t)(c->random % (uint64_t)(policy->base_ms + 1));
}

enum retry_verdict retry_decide(const struct retry_policy *policy, const struct retry_case *c, int64_t *ret_wait_ms)
{
    if (!is_transient(c))
        return RETRY_FINAL;
    int64_t wait = wait_ms(policy, c);
    bool told_to_slow_down = c->code == CURLE_OK && c->status == 429;
    bool attempts_left = told_to_slow_down || c->attempt <= policy->retries;
    *ret_wait_ms = wait;
    return attempts_left && wait < c->left_ms ? RETRY_WAIT : RETRY_EXHAUSTED;
}
