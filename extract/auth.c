#include "extract/auth.h"

#include <stdlib.h>

#include "common/jscan.h"
#include "extract/url.h"

enum { TOKENS_KEPT = 64, RENEW_EARLY_S = 60, TOKEN_MAX = 16 << 10, EXPIRES_MAX_S = 366 * 86400 };

/* ---- credentials ---- */

/* A line break would begin another header. */
static bool is_clean(struct str s)
{
    for (uint32_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7F)
            return false;
    return s.len > 0 && s.len <= TOKEN_MAX;
}

bool credential_of(const struct request *request, struct arena *a, struct credential *ret, struct err *err)
{
    const struct auth *auth = &request->source->auth;
    struct credential c = {0};
    if (auth->kind == AUTH_BEARER || auth->kind == AUTH_HEADER) {
        const char *token = source_fill(auth->token ? auth->token : "", request, false, a);
        if (!is_clean(str_of(token)))
            return err_set(err, ERR_CONFIG, "auth.token is %s; expected a credential without spaces or line breaks",
                           *token ? "not one word" : "empty");
        if (auth->kind == AUTH_BEARER)
            c.bearer = token;
        else
            c.header = arena_printf(a, "%s: %s", auth->header, token);
    }
    *ret = c;
    return true;
}

/* ---- the tokens ---- */

static bool add_field(struct buf *form, const char *name, const char *value)
{
    char *encoded = curl_easy_escape(NULL, value, 0);
    if (encoded)
        buf_addf(form, "%s%s=%s", form->len ? "&" : "", name, encoded);
    curl_free(encoded);
    return encoded;
}

/* The body to post; it also tells one credential from another. NULL: out of memory. */
static const char *token_form(const struct request *request, struct arena *a)
{
    const struct auth *auth = &request->source->auth;
    struct buf form = {0};
    bool ok = add_field(&form, "grant_type", "client_credentials") &&
              add_field(&form, "client_id", source_fill(auth->client_id, request, false, a)) &&
              add_field(&form, "client_secret", source_fill(auth->client_secret, request, false, a)) &&
              (!auth->scope || !*auth->scope ||
               add_field(&form, "scope", source_fill(auth->scope, request, false, a)));
    const char *copy = ok ? arena_copy(a, form.p, form.len) : NULL;
    buf_free(&form);
    return copy;
}

static void token_free(struct token *t)
{
    explicit_bzero(t->form, strlen(t->form));
    if (t->value)
        explicit_bzero(t->value, strlen(t->value));
    free(t->url);
    free(t->form);
    free(t->value);
    free(t->failure);
    free(t);
}

static struct token *tokens_find(const struct tokens *ts, const char *url, const char *form)
{
    for (int i = 0; i < ts->n; i++)
        if (!strcmp(ts->item[i]->url, url) && !strcmp(ts->item[i]->form, form))
            return ts->item[i];
    return NULL;
}

/* Where every company has a credential of its own, those nobody uses any more make room. */
static void tokens_prune(struct tokens *ts)
{
    int kept = 0;
    if (ts->n < TOKENS_KEPT)
        return;
    for (int i = 0; i < ts->n; i++)
        if (ts->item[i]->users)
            ts->item[kept++] = ts->item[i];
        else
            token_free(ts->item[i]);
    ts->n = kept;
}

static struct token *tokens_add(struct tokens *ts, const struct source *source, const char *url, const char *form)
{
    tokens_prune(ts);
    if (ts->n == ts->cap) {
        ts->cap = ts->cap ? ts->cap * 2 : 8;
        ts->item = mem_realloc(ts->item, sizeof *ts->item * (size_t)ts->cap);
    }
    struct token *t = mem_alloc(sizeof *t);
    t->source = source;
    t->url = mem_strdup(url);
    t->form = mem_strdup(form);
    return ts->item[ts->n++] = t;
}

bool tokens_get(struct tokens *ts, const struct request *request, struct token **ret, struct err *err)
{
    struct arena a = {0};
    const struct source *source = request->source;
    const char *url = source_fill(source->auth.token_url, request, true, &a);
    bool ok = url_check(source, url, err);
    const char *form = ok ? token_form(request, &a) : NULL;
    if (ok && !form)
        ok = err_no_memory(err);
    if (form) {
        struct token *t = tokens_find(ts, url, form);
        *ret = t ? t : tokens_add(ts, source, url, form);
        (*ret)->users++;
    }
    arena_free(&a);
    return ok;
}

void token_leave(struct token *t)
{
    if (--t->users == 0 && t->state == TOKEN_FAILED && t->failure->kind != ERR_REFUSED) {
        t->state = TOKEN_WANTED;
        t->tries = (struct tries){0};
    }
}

void tokens_free(struct tokens *ts)
{
    for (int i = 0; i < ts->n; i++)
        token_free(ts->item[i]);
    free(ts->item);
    *ts = (struct tokens){0};
}

enum token_state token_state(struct token *t, int64_t now_ms)
{
    if (t->state == TOKEN_READY && now_ms >= t->renew_at_ms)
        t->state = TOKEN_WANTED;
    return t->state;
}

void token_refused(struct token *t, int generation)
{
    if (t->generation == generation && t->state == TOKEN_READY)
        t->state = TOKEN_WANTED;
}

struct ask token_ask(struct token *t, int64_t now_ms)
{
    tries_begin(&t->tries, t->source, now_ms);
    int64_t timeout_ms = tries_timeout_ms(&t->tries, t->source, now_ms);
    return (struct ask){
        .source = t->source, .url = t->url, .form = t->form, .fresh = tries_want_fresh(&t->tries),
        .timeout_ms = timeout_ms ? timeout_ms : 1,
    };
}

/* ---- what the token server says ---- */

/* Seconds, as a number or as digits in text; -1 when it does not say. */
static int64_t expires_in_s(const struct jdoc *d)
{
    const struct jvalue *v = jdoc_member(d, d->value, STR("expires_in"));
    int64_t s;
    if (!v || (v->type != J_NUMBER && v->type != J_STRING) || !money_parse_int(v->text, &s) || s <= 0)
        return -1;
    return s < EXPIRES_MAX_S ? s : EXPIRES_MAX_S;
}

/* A minute early, for requests that are on their way when it expires; half of a life shorter than two minutes. */
static int64_t renew_at_ms(int64_t expires_s, int64_t now_ms)
{
    if (expires_s < 0)
        return INT64_MAX;
    int64_t early_s = expires_s < 2 * RENEW_EARLY_S ? expires_s / 2 : RENEW_EARLY_S;
    return now_ms + (expires_s - early_s) * 1000;
}

static bool token_take(struct token *t, struct str body, int64_t now_ms)
{
    struct arena a = {0};
    struct jdoc d;
    struct jscan fault;
    const struct jvalue *v = jdoc_parse(body, &a, &d, &fault) ? jdoc_member(&d, d.value, STR("access_token")) : NULL;
    bool ok = v && v->type == J_STRING && is_clean(v->text);
    if (ok) {
        free(t->value);
        t->value = mem_printf("%.*s", (int)v->text.len, v->text.p);
        t->renew_at_ms = renew_at_ms(expires_in_s(&d), now_ms);
        t->generation++;
        t->state = TOKEN_READY;
        t->tries = (struct tries){0};
    }
    arena_free(&a);
    return ok;
}

void token_answered(struct token *t, const struct answer *answer, const struct ask *ask, int64_t now_ms,
                    uint64_t random)
{
    if (answer->code == CURLE_OK && answer->status == 200 && token_take(t, answer->body, now_ms))
        return;
    if (tries_failed(&t->tries, t->source, answer, now_ms, random) == RETRY_WAIT) {
        t->state = TOKEN_WANTED;
        return;
    }
    if (!t->failure)
        t->failure = mem_alloc(sizeof *t->failure);
    t->state = TOKEN_FAILED;
    if (answer->code == CURLE_OK && answer->status == 200) {
        err_set(t->failure, ERR_DATA, "POST %s: HTTP 200 without an access_token", ask->url);
        return;
    }
    answer_fail(answer, ask, &t->tries, t->failure);
    if (answer->code == CURLE_OK && answer->status == 400) /* invalid_client, invalid_scope: RFC 6749, 5.2 */
        t->failure->kind = ERR_REFUSED;
}
