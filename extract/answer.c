#include "extract/answer.h"

#include "common/jscan.h"

enum { QUOTED_BODY_MAX = 64 << 10, DIGITS_MAX = 9 };

/* ---- attempts ---- */

void tries_begin(struct tries *t, const struct source *source, int64_t now_ms)
{
    if (!t->deadline_ms)
        t->deadline_ms = now_ms + source->deadline_ms;
}

int64_t tries_timeout_ms(const struct tries *t, const struct source *source, int64_t now_ms)
{
    int64_t left = t->deadline_ms - now_ms;
    if (left <= 0)
        return 0;
    return left < source->timeout_ms ? left : source->timeout_ms;
}

enum retry_verdict tries_failed(struct tries *t, const struct source *source, const struct answer *answer,
                                int64_t now_ms, uint64_t random)
{
    if (answer->leavings && !t->leavings) {
        t->leavings = true;
        return RETRY_WAIT;
    }
    bool slowed = answer->code == CURLE_OK && answer->status == 429;
    struct retry_policy policy = {source->retries, RETRY_BASE_MS, RETRY_CAP_MS};
    struct retry_case c = {
        .attempt = slowed ? ++t->slowdowns : ++t->failures, .code = answer->code, .status = answer->status,
        .retry_after_ms = answer->retry_after_ms, .left_ms = t->deadline_ms - now_ms, .random = random,
    };
    int64_t wait_ms = 0;
    enum retry_verdict verdict = retry_decide(&policy, &c, &wait_ms);
    t->ready_at_ms = now_ms + wait_ms;
    return verdict;
}

void tries_succeeded(struct tries *t)
{
    t->failures = t->slowdowns = 0;
    t->leavings = false;
    t->ready_at_ms = 0;
}

bool answer_is_alive(const struct answer *answer)
{
    return answer->code == CURLE_OK && answer->status < 500 && answer->status != 429 && answer->status != 408;
}

/* ---- what the body says ---- */

/* Adds the text of one member, or its message when it is an object or a list of texts. */
static void quote_member(struct buf *b, const struct jdoc *d, const char *key)
{
    const struct jvalue *v = jdoc_member(d, d->value, str_of(key));
    if (v && v->type == J_OBJECT)
        v = jdoc_member(d, v, STR("message"));
    if (v && v->type == J_ARRAY && v->count)
        v++; /* its first element */
    if (!v || v->type != J_STRING || !v->text.len)
        return;
    buf_adds(b, b->len ? ": " : "");
    buf_add(b, v->text.p, v->text.len);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The bytes of a digit, or of what people put between those of a number (see nir.h), 0 for anything else. */
static size_t number_piece(const struct buf *b, size_t at)
{
    static const char *const PIECES[] = {" ", ".", "-", "\xc2\xa0", "\xe2\x80\xaf"};
    if (is_digit(b->p[at]))
        return 1;
    for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++)
        if (b->len - at >= strlen(PIECES[i]) && memcmp(b->p + at, PIECES[i], strlen(PIECES[i])) == 0)
            return strlen(PIECES[i]);
    return 0;
}

/* Social security and account numbers may stand in what a server says about a record, spaced or not. */
static void mask_numbers(struct buf *b)
{
    for (size_t i = 0, end; i < b->len; i = end + 1) {
        size_t digits = 0, piece;
        for (end = i; end < b->len && (piece = number_piece(b, end)) > 0; end += piece)
            digits += is_digit(b->p[end]);
        for (size_t at = i; digits > DIGITS_MAX && at < end; at++)
            if (is_digit(b->p[at]))
                b->p[at] = '*';
    }
}

static void blank_controls(struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((unsigned char)b->p[i] < 0x20 || b->p[i] == 0x7F)
            b->p[i] = ' ';
}

/* Cuts between characters of UTF-8. */
static void cut(struct buf *b)
{
    if (b->len > ANSWER_QUOTE_MAX) {
        b->len = ANSWER_QUOTE_MAX;
        while (b->len && ((unsigned char)b->p[b->len] & 0xC0) == 0x80)
            b->len--;
    }
}

/* Also behind a NUL character. */
static bool holds(const struct buf *b, const char *secret)
{
    return b->len && secret && *secret && memmem(b->p, b->len, secret, strlen(secret));
}

/* A field of the form that asked for a token, by its "name=". */
static bool holds_field(const struct buf *b, const char *form, const char *name)
{
    const char *value = form ? strstr(form, name) : NULL;
    if (!value)
        return false;
    value += strlen(name);
    char *decoded = curl_easy_unescape(NULL, value, (int)strcspn(value, "&"), NULL);
    bool held = holds(b, decoded);
    curl_free(decoded);
    return held;
}

static bool repeats_credential(const struct buf *b, const struct ask *ask)
{
    const char *value = ask->header ? strchr(ask->header, ':') : NULL;
    return holds(b, ask->bearer) || (value && value[1] && holds(b, value + 2)) ||
           holds_field(b, ask->form, "client_secret=") || holds_field(b, ask->form, "client_id=");
}

/* application/problem+json: title, detail; OAuth: error, error_description; others: message, error, details. */
static void quote(struct buf *b, const struct answer *answer, const struct ask *ask)
{
    static const char *const KEYS[] = {"title", "detail", "message", "error", "error_description", "details"};
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault;
    if (answer->body.len && answer->body.len <= QUOTED_BODY_MAX && jdoc_parse(answer->body, &a, &d, &fault))
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
            quote_member(b, &d, KEYS[i]);
    arena_free(&a);
    if (repeats_credential(b, ask)) {
        b->len = 0;
        return;
    }
    blank_controls(b); /* first: what they parted may be a number */
    mask_numbers(b);
    cut(b);
}

/* ---- what it means ---- */

static enum err_kind kind_of_code(const struct answer *answer)
{
    switch (answer->code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return ERR_REFUSED;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_URL_MALFORMAT:
        return ERR_CONFIG;
    case CURLE_FILE_COULDNT_READ_FILE:
        return ERR_NO_INPUT;
    case CURLE_OUT_OF_MEMORY:
        return ERR_TRY_AGAIN;
    case CURLE_WRITE_ERROR:
        return answer->too_large ? ERR_DATA : ERR_BUG;
    default:
        return ERR_UNAVAILABLE;
    }
}

static enum err_kind kind_of_status(long status)
{
    if (status == 401 || status == 403 || status == 407)
        return ERR_REFUSED;
    if (status == 429)
        return ERR_TRY_AGAIN;
    if (status == 408 || status >= 500)
        return ERR_UNAVAILABLE;
    return status >= 300 ? ERR_CONFIG : ERR_DATA;
}

/* Where a redirect leads, but for its query and fragment: they may hold a ticket, and a user part a password. */
static void add_location(struct buf *b, const struct answer *answer, const struct ask *ask)
{
    struct buf to = {0};
    const char *location = answer->location.p;
    buf_add(&to, location, strcspn(location, "?#"));
    if (!strchr(buf_str(&to), '@') && !repeats_credential(&to, ask)) {
        mask_numbers(&to);
        cut(&to);
        buf_addf(b, ", a redirect to %s, which is not followed", buf_str(&to));
    } else {
        buf_adds(b, ", a redirect, which is not followed");
    }
    buf_free(&to);
}

static void add_reason(struct buf *b, const struct answer *answer, const struct ask *ask)
{
    if (answer->too_large) {
        buf_addf(b, "body of more than %lld bytes", (long long)ask->source->max_body_bytes);
        return;
    }
    if (answer->code == CURLE_OUT_OF_MEMORY) {
        buf_adds(b, "out of memory, or a header line of more than 100 kB");  /* libcurl says the same of both */
        return;
    }
    if (answer->code != CURLE_OK) {
        buf_adds(b, answer->fault);
        return;
    }
    buf_addf(b, "HTTP %ld", answer->status);
    if (answer->status >= 300 && answer->status < 400 && answer->location.p)
        add_location(b, answer, ask);
    else if (answer->status == 404)
        buf_addf(b, ", not known to %s", ask->source->name);
}

bool answer_fail(const struct answer *answer, const struct ask *ask, const struct tries *tries, struct err *err)
{
    struct buf reason = {0}, said = {0};
    int attempts = tries->failures + tries->slowdowns;
    add_reason(&reason, answer, ask);
    if (attempts > 1)
        buf_addf(&reason, " after %d attempts", attempts);
    if (answer->code == CURLE_OK)
        quote(&said, answer, ask);
    err_set(err, answer->code == CURLE_OK ? kind_of_status(answer->status) : kind_of_code(answer), "%s %s: %s%s%s",
            ask->form ? "POST" : "GET", ask->url, buf_str(&reason), said.len ? ": " : "", buf_str(&said));
    if (answer->retry_after_ms > 0)
        err->retry_after_s = (int)((answer->retry_after_ms + 999) / 1000);
    buf_free(&reason);
    buf_free(&said);
    return false;
}
