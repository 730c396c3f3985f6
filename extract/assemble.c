#include "extract/assemble.h"

#include <stdlib.h>

#include "common/thread.h"
#include "extract/company.h"
#include "extract/url.h"

enum { WARNINGS_MAX = 20 };

/* ---- which error counts ---- */

void err_keep_worst(struct err *worst, enum err_kind kind, int retry_after_s, const char *text)
{
    static const enum err_kind order[] = {ERR_TRY_AGAIN, ERR_UNAVAILABLE, ERR_NO_INPUT, ERR_IO, ERR_CANT_CREATE,
                                          ERR_DATA, ERR_REFUSED, ERR_CONFIG, ERR_BUG};
    int rank = 0, held = -1;
    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++) {
        rank = order[i] == kind ? i : rank;
        held = order[i] == worst->kind ? i : held;
    }
    if (rank > held) {
        err_set(worst, kind, "%s", text);
        worst->retry_after_s = retry_after_s;
    } else if (rank == held && retry_after_s > worst->retry_after_s) {
        worst->retry_after_s = retry_after_s;
    }
}

/* ---- pages ---- */

struct pages {
    struct spool_in in;
    struct page *v;
    int n;
};

static int by_request(const void *a, const void *b)
{
    const struct page *x = a, *y = b;
    int order = (x->request > y->request) - (x->request < y->request);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* All pages of a company, by request and number; their URLs as they are told. */
static bool pages_read(struct pages *pages, const char *path, const struct request *requests, int n_requests,
                       struct arena *a, struct err *err)
{
    struct page page, *v = NULL;
    size_t n = 0, cap = 0;
    if (!spool_read(&pages->in, path, err))
        return false;
    while (spool_next(&pages->in, a, &page)) {
        if (n == cap) {
            cap = cap ? cap * 2 : 64;
            v = mem_realloc(v, sizeof *v * cap);
        }
        if (page.request < n_requests)
            page.url = url_told(&requests[page.request], page.url, page.number, a);
        v[n++] = page;
    }
    if (n)
        qsort(v, n, sizeof *v, by_request);
    pages->v = v;
    pages->n = (int)n;
    return true;
}

static void pages_end(struct pages *pages)
{
    free(pages->v);
    spool_end(&pages->in);
}

/* Maps the pages of the sources that did not fail. A source whose every page is absent has nothing for this company. */
static void pages_map(struct assembly *a, struct waiting *w, const struct pages *pages, const struct request *requests,
                      int n_requests)
{
    int *present = arena_alloc(&a->arena, sizeof *present * (size_t)a->n_sources);
    int *absent = arena_alloc(&a->arena, sizeof *absent * (size_t)a->n_sources);
    for (int i = 0; i < pages->n; i++) {
        const struct page *page = &pages->v[i];
        struct err err;
        int64_t records;
        if (page->request >= n_requests)
            continue;
        int source = (int)(requests[page->request].source - a->sources);
        if (w->source[source].outcome == SYNC_FAILED)
            continue;
        if (page->absent) {
            absent[source]++;
            continue;
        }
        present[source]++;
        if (!map_page(&a->mapping, &requests[page->request], page, &records)) {
            err_set(&err, ERR_DATA, "%.*s: the page cannot be used; rejects.ndjson tells why", (int)page->url.len,
                    page->url.p);
            waiting_fail(w, source, &err);
        }
    }
    for (int s = 0; s < a->n_sources; s++)
        if (absent[s] && !present[s])
            w->source[s].outcome = SYNC_ABSENT;
}

/* Rows of files that hold all companies; how those were read is the same for each. */
static void shared_rows_map(struct assembly *a, struct waiting *w, int company)
{
    for (int s = 0; s < a->n_sources; s++) {
        const struct err *fault = NULL;
        enum sync_outcome outcome = shared_outcome(&a->shared, &a->sources[s], &fault);
        if (outcome == SYNC_FAILED)
            waiting_fail(w, s, fault);
        if (outcome == sync_outcome_null || w->source[s].attempted_at != INSTANT_NONE)
            continue;
        w->source[s].attempted_at = a->run->now;
        w->source[s].outcome = outcome;
        w->source[s].synced_at = outcome == SYNC_FAILED ? INSTANT_NONE : a->run->now;
    }
    if (!w->failed)
        shared_map(&a->shared, company, &a->mapping);
}

/* ---- a company ---- */

/* Every record read is staged, rejected, repeated or passed over; anything else would be money or people lost. */
static bool check_balance(struct assembly *a, struct err *err)
{
    const struct mapping *m = &a->mapping;
    int64_t kept = 0;
    for (int i = 0; i < m->n_rows; i++)
        if (!m->rows[i].fill)
            kept += m->rows[i].n;
    if (m->read == kept + m->rejected + m->repeated + m->passed_over)
        return true;
    return err_set(err, ERR_BUG, "company %s: %lld records read, but %lld kept, %lld rejected, %lld repeated, %lld "
                   "passed over", m->company->id, (long long)m->read, (long long)kept, (long long)m->rejected,
                   (long long)m->repeated, (long long)m->passed_over);
}

static void sources_note(struct assembly *a, const struct waiting *w, struct company *c)
{
    struct source_sync *sync = arena_alloc(&a->arena, sizeof *sync * ((size_t)a->n_sources + 1));
    uint32_t n = 0;
    for (int i = 0; i < a->n_sources; i++) {
        const struct waiting_source *s = &w->source[i];
        if (s->attempted_at == INSTANT_NONE && s->outcome != SYNC_FAILED)
            continue;      /* nothing was to be read there for this company */
        sync[n++] = (struct source_sync){
            .source = str_of(a->sources[i].name), .outcome = (uint8_t)s->outcome, .attempted_at = s->attempted_at,
            .synced_at = s->synced_at, .error = str_of(s->error),
        };
    }
    c->sources = (struct list){sync, n};
}

static bool put_rows(struct assembly *a, const struct record *record, const void *rows, uint32_t n, struct err *err)
{
    a->rows += n;
    for (uint32_t i = 0; i < n; i++)
        if (!part_put(&a->part, record, (const char *)rows + record->size * i, err))
            return err_prefix(err, "company %s, %s", a->mapping.company->id, record->entity);
    return true;
}

/* What sources gave and what people decided, in the order of records.def. */
static bool put_records(struct assembly *a, int at, struct err *err)
{
    if (!decided_read(&a->decided, a->queue.companies, a->queue.n, at, err))
        return false;
    for (int i = 0; record_all[i]; i++) {
        const struct rows *rows = record_all[i] == &company_record ? NULL : mapping_find(&a->mapping, record_all[i]);
        if (rows && !put_rows(a, rows->record, rows->rec, rows->n, err))
            return false;
        for (int d = 0; d < DECIDED_ENTITIES; d++) {
            uint32_t n;
            const void *decided = decided_rows(&a->decided, d, at, &n);
            if (a->decided.rows[d].record == record_all[i] && !put_rows(a, record_all[i], decided, n, err))
                return false;
        }
    }
    return true;
}

/* Maps everything that the company's sources gave, unless one of them failed. */
static bool map_company(struct assembly *a, int at, struct pages *pages, struct company *c, struct err *err)
{
    const struct config_company *config = a->queue.companies[at];
    struct waiting *w = &a->queue.waiting[at];
    struct err fault = {0};
    int n_requests;
    company_compose(config, NULL, &a->arena, c, err); /* of a company that fails, what the configuration says */
    const struct request *requests = source_requests(a->sources, a->n_sources, config, a->first, a->last, &a->arena,
                                                     &n_requests);
    const char *spool = spool_path(a->extract->raw_dir, config->id, &a->arena);
    if (!w->failed && n_requests && !pages_read(pages, spool, requests, n_requests, &a->arena, err))
        return false;
    if (!w->failed)
        pages_map(a, w, pages, requests, n_requests);
    shared_rows_map(a, w, (int)(config - a->run->config.companies));
    if (w->failed)
        return true;
    bool *unread = arena_alloc(&a->arena, sizeof *unread * (size_t)a->n_sources);
    for (int s = 0; s < a->n_sources; s++)
        unread[s] = w->source[s].outcome != SYNC_OK;
    mapping_finish(&a->mapping, a->sources, a->n_sources, unread);
    if (!check_balance(a, err))
        return false;
    if (!company_compose(config, mapping_find(&a->mapping, &company_record), &a->arena, c, &fault)) {
        for (int s = 0; s < a->n_sources; s++)
            if (a->sources[s].payroll && a->sources[s].kind == SOURCE_REST)
                waiting_fail(w, s, &fault);
        w->failed = true;
    }
    return true;
}

static void company_failed(struct assembly *a, const struct waiting *w, bool fetched_well)
{
    a->n_failed++;
    for (int s = 0; s < a->n_sources; s++)
        if (w->source[s].error)
            err_keep_worst(&a->worst, w->source[s].kind, w->source[s].retry_after_s, w->source[s].error);
    if (fetched_well)      /* so it is the pages that cannot be used */
        extract_run_refuse(a->extract, a->mapping.company->id, a->run->config.archive_raw);
}

/* When a source is down thousands of companies say the same: the log has the first of them. */
static void warn_of_failures(struct assembly *a, const struct waiting *w)
{
    for (int s = 0; s < a->n_sources; s++) {
        if (!w->source[s].error)
            continue;
        log_at(a->n_warned++ < WARNINGS_MAX ? LOG_WARNING : LOG_DEBUG, "company %s: source %s failed%s: %s",
               a->mapping.company->id, a->sources[s].name, w->failed ? "" : ", which is optional", w->source[s].error);
    }
}

static bool assemble(struct assembly *a, int at, struct err *err)
{
    struct waiting *w = &a->queue.waiting[at];
    struct pages pages = {0};
    struct company c;
    bool fetched_well = !w->failed;
    if (!a->part_open)
        part_begin(&a->part, a->out, a->n_parts);
    a->part_open = true;
    arena_reset(&a->arena);
    mapping_begin(&a->mapping, &a->part, a->queue.companies[at], &a->arena);
    record_init(&company_record, &c);
    bool ok = map_company(a, at, &pages, &c, err) && (w->failed || put_records(a, at, err));
    c.status = w->failed ? COMPANY_FAILED : COMPANY_OK;
    sources_note(a, w, &c);
    ok = ok && part_end_company(&a->part, &c, err);
    if (ok) {
        warn_of_failures(a, w);
        a->read += a->mapping.read;
        a->repeated += a->mapping.repeated;
        a->passed_over += a->mapping.passed_over;
        a->good[at] = !w->failed;
        if (w->failed)
            company_failed(a, w, fetched_well);
    }
    pages_end(&pages);
    waiting_end(w, a->n_sources);
    return ok;
}

static bool commit_part(struct assembly *a, struct err *err)
{
    a->part_open = false;
    a->n_parts++;
    return part_commit(&a->part, err);
}

/* ---- one after the other ---- */

static bool assemble_next(struct assembly *a, struct err *err)
{
    if (stage_stopped(err) || !assemble(a, a->next, err))
        return false;
    a->next++;
    progress_step(a->next, a->rows);
    return !part_full(&a->part) || commit_part(a, err);
}

/* Until the last company, or the first reason to stop, which the fetch asks for. */
static void *assemble_all(void *arg)
{
    struct assembly *a = arg;
    struct err err = {0};
    while (a->next < a->queue.n && queue_wait(&a->queue, a->next)) {
        if (!assemble_next(a, &err)) {
            queue_fail(&a->queue, &err);
            break;
        }
    }
    return NULL;
}

void assembly_begin(struct assembly *a)
{
    a->threaded = thread_start(&a->thread, assemble_all, a);
}

void assembly_take(struct assembly *a, const struct fetch_outcome *outcome)
{
    queue_put(&a->queue, outcome);
}

bool assembly_goes_on(struct assembly *a, struct err *err)
{
    return !queue_failed(&a->queue, err);
}

bool assembly_end(struct assembly *a, bool fetched, struct err *err)
{
    queue_close(&a->queue, !fetched);
    if (a->threaded)
        pthread_join(a->thread, NULL);
    else
        assemble_all(a);
    if (!fetched || queue_failed(&a->queue, err))
        return false;
    if (a->next < a->queue.n)
        return err_set(err, ERR_BUG, "company %s was never fetched", a->queue.companies[a->next]->id);
    return !a->part_open || commit_part(a, err);
}

void assembly_free(struct assembly *a)
{
    if (a->part_open)
        part_abandon(&a->part);
    a->part_open = false;
    queue_free(&a->queue);
    free(a->good);
    shared_free(&a->shared);
    decided_close(&a->decided);
    mapping_free(&a->mapping);
    reject_log_free(&a->log);
    arena_free(&a->arena);
}
