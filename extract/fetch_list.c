#include <time.h>

#include "extract/fetching.h"
#include "extract/url.h"

enum { ETAG_MAX = 1024 };

void fetch_list_begin(struct fetch_list *l, struct fetching *f, struct fetch_company *company, int index)
{
    *l = (struct fetch_list){.f = f, .company = company, .request = &company->requests[index], .index = index,
                             .done_at = INSTANT_NONE};
    walk_start(&l->walk, l->request->entity);
}

/* ---- how a list ends ---- */

static void list_end(struct fetch_list *l)
{
    l->state = LIST_ENDED;
    l->company->n_left--;
    if (l->token)
        token_leave(l->token);
    l->token = NULL;
}

static struct fetch_by_source *by_source(const struct fetch_list *l)
{
    return &l->company->outcome.by_source[l->request->source - l->f->plan->sources];
}

/* A kind that waits for a person outranks one that passes by itself. */
static int gravity(enum err_kind kind)
{
    static const enum err_kind ORDER[] = {ERR_NONE, ERR_TRY_AGAIN, ERR_UNAVAILABLE, ERR_NO_INPUT, ERR_DATA, ERR_REFUSED,
                                          ERR_CONFIG};
    int n = sizeof ORDER / sizeof *ORDER;
    for (int i = 0; i < n; i++)
        if (ORDER[i] == kind)
            return i;
    return n;
}

static void list_fail(struct fetch_list *l, struct err *why)
{
    struct fetching *f = l->f;
    struct throttle *throttle = throttle_of(f, l->request->source);
    bool passes = why->kind == ERR_UNAVAILABLE || why->kind == ERR_TRY_AGAIN;
    err_prefix(why, "%s", request_name(l->request, &l->company->arena));
    if (f->report)
        f->report(why->text);
    if (gravity(why->kind) > gravity(f->worst.kind))
        f->worst = *why;
    if (!by_source(l)->failed) {
        by_source(l)->failed = true;
        by_source(l)->err = *why;
        if (passes)
            throttle_gave_up(throttle, why);
    }
    l->failed = true;
    list_end(l);
}

static void list_start_over(struct fetch_list *l)
{
    walk_start(&l->walk, l->request->entity);
    tries_succeeded(&l->tries);
    l->url = NULL;
    l->resumed = false;
}

static void list_next_page(struct fetch_list *l)
{
    tries_succeeded(&l->tries);
    l->url = NULL;
    l->resumed = l->token_renewed = l->unreadable = false;
}

/* ---- pages of an earlier process ---- */

/* The configuration may name another server now; and what the mapper could not read is worth asking for again. */
static bool is_expected(struct fetch_list *l, const struct page *page)
{
    struct err ignored;
    char *url;
    return page->number == l->walk.number && (page->records != INT_NONE || page->absent ||
           l->request->source->kind == SOURCE_CSV) &&
           url_build(l->request, &l->walk, false, &l->company->arena, &url, &ignored) && str_is(page->url, url);
}

void fetch_list_resume(struct fetch_list *l, const struct page *page)
{
    struct err ignored;
    if (l->distrusted || l->state == LIST_ENDED)
        return;
    if (is_expected(l, page)) {
        enum walk_step step = walk_take(&l->walk, page, &l->company->arena, &ignored);
        l->resumed = true;
        l->done_at = page->received_at;
        if (by_source(l)->attempted_at == INSTANT_NONE)
            by_source(l)->attempted_at = page->asked_at;
        if (step == WALK_COMPLETE)
            list_end(l);
        if (step == WALK_COMPLETE || step == WALK_MORE)
            return;
    }
    l->distrusted = true;
    list_start_over(l);
}

/* ---- pages received ---- */

static const char *told(const struct fetch_list *l)
{
    return url_told(l->request, str_of(l->url), l->walk.number, &l->company->arena).p;
}

static void report_page(struct fetch_list *l, const struct page *page)
{
    struct arena *a = &l->f->scratch;
    const char *name = request_name(l->request, a);
    if (page->absent)
        l->f->report(arena_printf(a, "%s: absent, and optional", name));
    else if (page->records == INT_NONE)
        l->f->report(arena_printf(a, "%s: ok, %u bytes", name, (unsigned)page->body.len));
    else if (page->total == INT_NONE)
        l->f->report(arena_printf(a, "%s: ok, %lld read", name, (long long)page->records));
    else
        l->f->report(arena_printf(a, "%s: ok, %lld of %lld read", name, (long long)page->records,
                                  (long long)page->total));
}

/* Spools a page and walks on. */
static bool list_take(struct fetch_list *l, struct page *page, struct err *err)
{
    struct err why;
    instant_t now = (instant_t)time(NULL);
    page->request = l->index;
    page->number = l->walk.number;
    page->url = str_of(l->url);
    page->asked_at = by_source(l)->attempted_at;
    if (page->received_at == INSTANT_NONE || page->received_at > now)
        page->received_at = now;
    l->done_at = page->received_at;
    if (l->f->report) {
        report_page(l, page);
        list_end(l);
        return true;
    }
    if (!spool_append(&l->company->spool, page, err))
        return false;
    switch (walk_take(&l->walk, page, &l->company->arena, &why)) {
    case WALK_MORE:
        list_next_page(l);
        return true;
    case WALK_COMPLETE:
        list_end(l);
        return true;
    case WALK_INCOMPLETE:
        if (!l->read_again) {
            l->read_again = true;
            list_start_over(l);
            return true;
        }
        break;
    case WALK_BROKEN:
        break;
    }
    err_prefix(&why, "GET %s", told(l));
    list_fail(l, &why);
    return true;
}

static bool list_take_absent(struct fetch_list *l, struct err *err)
{
    struct page page = {.total = INT_NONE, .records = INT_NONE, .received_at = INSTANT_NONE, .absent = true};
    return list_take(l, &page, err);
}

/* What leads on from a page: a link made absolute, a cursor, a number. */
static bool next_page(struct fetch_list *l, const struct page_facts *facts, struct str *ret, struct err *why)
{
    *ret = walk_next(&l->walk, facts, &l->company->arena);
    if (l->request->entity->paging.kind != PAGING_LINK || !ret->p)
        return true;
    return url_follow(l->url, *ret, &l->company->arena, ret, why);
}

/* A body that is no JSON may have been cut short on its way: it is asked for once more, then left to the mapper. */
static bool is_worth_another_try(struct fetch_list *l)
{
    const struct answer cut_short = {.code = CURLE_PARTIAL_FILE, .retry_after_ms = -1};
    if (l->unreadable)
        return false;
    l->unreadable = true;
    return tries_failed(&l->tries, l->request->source, &cut_short, l->f->now_ms, fetching_random(l->f)) == RETRY_WAIT;
}

static bool list_take_body(struct fetch_list *l, struct str body, struct str etag, struct str link, struct err *err)
{
    struct page_facts facts;
    struct err why;
    struct page page = {.body = body};
    if (!page_read_facts(l->request->entity, body, link, &l->f->scratch, &facts, &why) ||
        !next_page(l, &facts, &page.next, &why)) {
        err_prefix(&why, "GET %s", told(l));
        list_fail(l, &why);
        return true;
    }
    if (facts.records == INT_NONE && is_worth_another_try(l))
        return true;
    if (facts.records == INT_NONE && l->f->report) {
        err_set(&why, ERR_DATA, "GET %s: expected JSON", told(l));
        list_fail(l, &why);
        return true;
    }
    page.etag = etag.len <= ETAG_MAX ? etag : STR_NULL;
    page.total = facts.total;
    page.received_at = facts.as_of;
    page.records = facts.records;
    return list_take(l, &page, err);
}

/* Not modified since the last complete run. */
static bool list_take_cached(struct fetch_list *l, const struct answer *answer, struct err *err)
{
    const struct page *cached = l->cached;
    struct str link = answer->link;
    if (!link.p && cached->next.p) {
        link = str_of(arena_printf(&l->f->scratch, "<%.*s>; rel=\"next\"", (int)cached->next.len, cached->next.p));
    }
    return list_take_body(l, cached->body, cached->etag, link, err);
}

/* Marks the moment of a source's first request for this company. */
static void mark_attempt(struct fetch_list *l)
{
    if (by_source(l)->attempted_at == INSTANT_NONE)
        by_source(l)->attempted_at = (instant_t)time(NULL);
}

/* ---- files ---- */

static bool list_read_file(struct fetch_list *l, struct err *err)
{
    const struct source *source = l->request->source;
    struct map map;
    struct err why;
    mark_attempt(l);
    if (!map_open(&map, l->url, &why)) {
        if (why.kind == ERR_NO_INPUT && l->request->optional)
            return list_take_absent(l, err);
        list_fail(l, &why);
        return true;
    }
    bool ok = true;
    if (map.len > (uint64_t)source->max_body_bytes || map.len > UINT32_MAX) {
        err_set(&why, ERR_DATA, "%s: file of more than %lld bytes", l->url, (long long)source->max_body_bytes);
        list_fail(l, &why);
    } else {
        struct page page = {.total = INT_NONE, .records = INT_NONE, .received_at = INSTANT_NONE,
                            .body = {map.p, (uint32_t)map.len, false}};
        ok = list_take(l, &page, err);
    }
    map_close(&map);
    return ok;
}

/* ---- asking ---- */

static struct ask list_ask(const struct fetch_list *l, int64_t timeout_ms)
{
    return (struct ask){
        .source = l->request->source, .url = l->url, .bearer = l->token ? l->token->value : l->credential.bearer,
        .header = l->credential.header, .etag = l->cached ? l->cached->etag : STR_NULL,
        .fresh = tries_want_fresh(&l->tries), .timeout_ms = timeout_ms,
    };
}

/* The URL and the credential of the page to ask for. */
static bool list_prepare(struct fetch_list *l, struct err *why)
{
    const struct request *r = l->request;
    struct arena *a = &l->company->arena;
    if (!l->url && (!url_build(r, &l->walk, l->f->report != NULL, a, &l->url, why) ||
                    (r->source->kind == SOURCE_REST && !url_check(r->source, l->url, why))))
        return false;
    if (r->source->kind == SOURCE_CSV || l->has_credential)
        return true;
    l->has_credential = r->source->auth.kind == AUTH_CLIENT_CREDENTIALS
                            ? tokens_get(&l->f->tokens, r, &l->token, why)
                            : credential_of(r, a, &l->credential, why);
    return l->has_credential;
}

static bool token_start(struct fetching *f, struct token *t, struct err *err)
{
    struct ask ask = token_ask(t, f->now_ms);
    struct transfer *transfer = transfer_start(&f->transfers, &ask, err);
    if (!transfer)
        return false;
    transfer->token = t;
    t->state = TOKEN_ASKED;
    return true;
}

static bool list_start(struct fetch_list *l, int64_t timeout_ms, struct err *err)
{
    struct fetching *f = l->f;
    mark_attempt(l);
    l->cached = cache_find(&l->company->cache, str_of(l->url));
    struct ask ask = list_ask(l, timeout_ms);
    struct transfer *transfer = transfer_start(&f->transfers, &ask, err);
    if (!transfer)
        return false;
    transfer->list = l;
    l->token_generation = l->token ? l->token->generation : 0;
    l->state = LIST_IN_FLIGHT;
    throttle_leave(throttle_of(f, l->request->source), f->now_ms);
    return true;
}

static void wake_at(struct fetching *f, int64_t at_ms, int64_t *wake_ms)
{
    int64_t wait = at_ms - f->now_ms;
    if (wait < *wake_ms)
        *wake_ms = wait > 0 ? wait : 0;
}

/* A token that is wanted is asked for here; *ret_ready when the list can go on with it. */
static bool list_wait_for_token(struct fetch_list *l, int64_t *wake_ms, bool *starved, bool *ret_ready, struct err *err)
{
    struct fetching *f = l->f;
    struct token *t = l->token;
    struct err why;
    enum token_state state = token_state(t, f->now_ms);
    *ret_ready = state == TOKEN_READY;
    if (state == TOKEN_FAILED) {
        why = *t->failure;
        list_fail(l, &why);
    }
    if (state != TOKEN_WANTED)
        return true;
    if (t->tries.ready_at_ms > f->now_ms) {
        wake_at(f, t->tries.ready_at_ms, wake_ms);
        return true;
    }
    *starved |= transfers_full(&f->transfers);
    return transfers_full(&f->transfers) || token_start(f, t, err);
}

/* The breaker is open, or the list has taken too long. */
static bool list_is_hopeless(struct fetch_list *l, struct err *why)
{
    const struct source *source = l->request->source;
    const struct throttle *throttle = throttle_of(l->f, source);
    if (throttle->why_open) {
        err_set(why, throttle->why_open->kind, "not asked, for %d companies failed one after the other; the last: %s",
                THROTTLE_COMPANIES_MAX, throttle->why_open->text);
        why->retry_after_s = throttle->why_open->retry_after_s;
        return true;
    }
    if (!l->tries.deadline_ms || tries_timeout_ms(&l->tries, source, l->f->now_ms) > 0)
        return false;
    err_set(why, ERR_UNAVAILABLE, "%s: deadline of %lld s passed", told(l), (long long)(source->deadline_ms / 1000));
    return true;
}

/* Its turn has come: sends the request unless the source or the slots are busy. */
static bool list_send(struct fetch_list *l, int64_t *wake_ms, bool *starved, struct err *err)
{
    struct fetching *f = l->f;
    const struct source *source = l->request->source;
    struct throttle *throttle = throttle_of(f, source);
    int64_t wait_ms = throttle_wait_ms(throttle, f->now_ms);
    if (wait_ms > 0)
        wake_at(f, f->now_ms + wait_ms, wake_ms);
    if (wait_ms > 0 || throttle_full(throttle) || transfers_full(&f->transfers)) {
        *starved = true;
        return true;
    }
    tries_begin(&l->tries, source, f->now_ms);
    return list_start(l, tries_timeout_ms(&l->tries, source, f->now_ms), err);
}

bool fetch_list_go_on(struct fetch_list *l, int64_t *wake_ms, bool *starved, struct err *err)
{
    struct fetching *f = l->f;
    struct err why;
    bool ready = true;
    if (by_source(l)->failed && !f->report) {
        list_end(l);
        return true;
    }
    if (l->tries.ready_at_ms > f->now_ms) {
        wake_at(f, l->tries.ready_at_ms, wake_ms);
        return true;
    }
    if (!list_prepare(l, &why) || list_is_hopeless(l, &why)) {
        list_fail(l, &why);
        return true;
    }
    if (l->request->source->kind == SOURCE_CSV)
        return list_read_file(l, err);
    if (l->token && !list_wait_for_token(l, wake_ms, starved, &ready, err))
        return false;
    return !ready || list_send(l, wake_ms, starved, err);
}

/* ---- answers ---- */

static bool is_missing(const struct answer *answer)
{
    return answer->code == CURLE_FILE_COULDNT_READ_FILE || (answer->code == CURLE_OK && answer->status == 404);
}

static void pause_source(struct fetch_list *l, const struct answer *answer)
{
    if (answer->code == CURLE_OK && (answer->status == 429 || (answer->status == 503 && answer->retry_after_ms > 0)))
        throttle_pause(throttle_of(l->f, l->request->source), l->f->now_ms, l->tries.ready_at_ms - l->f->now_ms);
}

static void list_refused(struct fetch_list *l, const struct answer *answer)
{
    struct fetching *f = l->f;
    enum retry_verdict verdict = tries_failed(&l->tries, l->request->source, answer, f->now_ms, fetching_random(f));
    if (verdict == RETRY_WAIT) {
        pause_source(l, answer);
        return;
    }
    /* A cursor kept from an earlier process may have lapsed. */
    if (verdict == RETRY_FINAL && l->resumed && answer->code == CURLE_OK && answer->status >= 400 &&
        answer->status != 401 && answer->status != 403) {
        list_start_over(l);
        return;
    }
    struct ask ask = list_ask(l, 0);
    struct err why;
    ask.url = told(l);
    answer_fail(answer, &ask, &l->tries, &why);
    list_fail(l, &why);
}

bool fetch_list_answered(struct fetch_list *l, const struct answer *answer, struct err *err)
{
    struct throttle *throttle = throttle_of(l->f, l->request->source);
    l->state = LIST_WAITING;
    throttle_return(throttle);
    if (answer_is_alive(answer))
        throttle_answered(throttle);
    if (answer->code == CURLE_OK && answer->status == 200)
        return list_take_body(l, answer->body, answer->etag, answer->link, err);
    if (answer->code == CURLE_OK && answer->status == 304 && l->cached)
        return list_take_cached(l, answer, err);
    if (is_missing(answer) && l->request->optional && l->walk.number == 1)
        return list_take_absent(l, err);
    if (answer->code == CURLE_OK && answer->status == 401 && l->token && !l->token_renewed) {
        l->token_renewed = true;
        token_refused(l->token, l->token_generation);
        return true;
    }
    list_refused(l, answer);
    return true;
}
