#include "extract/fetch.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "common/stage.h"
#include "extract/fetching.h"

/* Companies at work at a time, whatever they wait for: bounds memory and open files. */
enum { COMPANIES_PER_SLOT = 4, TURN_MAX_MS = 250 };

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* xorshift64* (Vigna): spreads waits, guards nothing. */
uint64_t fetching_random(struct fetching *f)
{
    uint64_t x = f->random_state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    f->random_state = x;
    return x * 0x2545F4914F6CDD1Du >> 16;
}

/* ---- one turn of the loop ---- */

static bool company_go_on(struct fetch_company *c, int64_t *wake_ms, bool *starved, struct err *err)
{
    for (int i = 0; i < c->n_lists; i++)
        if (c->lists[i].state == LIST_WAITING && !fetch_list_go_on(&c->lists[i], wake_ms, starved, err))
            return false;
    return true;
}

/* Starts what is ready, oldest company first, and ends companies that are through. */
static bool companies_go_on(struct fetching *f, int64_t *wake_ms, bool *starved, struct err *err)
{
    for (struct fetch_company **at = &f->first; *at;) {
        struct fetch_company *c = *at;
        if (!company_go_on(c, wake_ms, starved, err))
            return false;
        if (c->n_left > 0) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        f->n_companies--;
        fetch_company_end(f, c);
    }
    return true;
}

/* Begins another company; *ret_more is false when there is none. */
static bool company_add(struct fetching *f, bool *ret_more, struct err *err)
{
    const struct config_company *company = f->plan->next_company(f->plan->arg);
    *ret_more = company != NULL;
    if (!company)
        return true;
    struct fetch_company *c = fetch_company_begin(f, company, err);
    if (!c)
        return false;
    struct fetch_company **end = &f->first;
    while (*end)
        end = &(*end)->next;
    *end = c;
    f->n_companies++;
    return true;
}

/* As many companies as keep the slots busy: none is begun while a list of another one waits for a slot. */
static bool fill_slots(struct fetching *f, bool *more, int64_t *wake_ms, struct err *err)
{
    int most = f->transfers.n_slots * COMPANIES_PER_SLOT;
    for (;;) {
        bool starved = false;
        *wake_ms = TURN_MAX_MS;
        f->now_ms = clock_ms();
        if (stage_stopped(err) || !f->plan->go_on(f->plan->arg, err) || !companies_go_on(f, wake_ms, &starved, err))
            return false;
        if (!*more || starved || transfers_full(&f->transfers) || f->n_companies >= most)
            return true;
        if (!company_add(f, more, err))
            return false;
    }
}

static bool hand_out(struct fetching *f, struct err *err)
{
    bool ok = true;
    struct transfer *t;
    while (ok && (t = transfers_ended(&f->transfers))) {
        f->now_ms = clock_ms();
        if (t->token) {
            struct ask ask = token_ask(t->token, f->now_ms);
            token_answered(t->token, &t->answer, &ask, f->now_ms, fetching_random(f));
        } else {
            ok = fetch_list_answered(t->list, &t->answer, err);
        }
        transfer_release(&f->transfers, t);
        arena_reset(&f->scratch);
    }
    return ok;
}

/* ---- from beginning to end ---- */

static bool fetching_open(struct fetching *f, struct err *err)
{
    if (getrandom(&f->random_state, sizeof f->random_state, 0) < 0 || !f->random_state)
        f->random_state = (uint64_t)clock_ms() | 1;
    f->throttle = mem_alloc(sizeof *f->throttle * (size_t)f->plan->n_sources);
    for (int i = 0; i < f->plan->n_sources; i++)
        throttle_init(&f->throttle[i], f->plan->sources[i].max_parallel, f->plan->sources[i].requests_per_second);
    int hosts = f->plan->n_sources + 1; /* and one for tokens */
    return (f->report || dir_create(f->plan->raw_dir, err)) &&
           transfers_open(&f->transfers, f->plan->parallel > 0 ? f->plan->parallel : 1, hosts, err);
}

static void fetching_close(struct fetching *f)
{
    transfers_close(&f->transfers);
    while (f->first) {
        struct fetch_company *c = f->first;
        f->first = c->next;
        fetch_company_free(c);
    }
    tokens_free(&f->tokens);
    for (int i = 0; i < f->plan->n_sources; i++)
        throttle_free(&f->throttle[i]);
    free(f->throttle);
    arena_free(&f->scratch);
}

bool fetching_run(struct fetching *f, struct err *err)
{
    bool more = true, ok = fetching_open(f, err);
    int64_t wake_ms;
    while (ok) {
        ok = fill_slots(f, &more, &wake_ms, err);
        if (!ok || (!more && !f->first))
            break;
        ok = transfers_run(&f->transfers, (int)wake_ms, err) && hand_out(f, err);
    }
    fetching_close(f);
    return ok;
}

bool fetch_all(const struct fetch_plan *plan, struct err *err)
{
    struct fetching f = {.plan = plan};
    return fetching_run(&f, err);
}

bool fetch_check(const struct fetch_plan *plan, void (*report)(const char *line), struct err *err)
{
    struct fetching f = {.plan = plan, .report = report};
    if (!fetching_run(&f, err))
        return false;
    if (f.worst.kind == ERR_NONE)
        return true;
    *err = f.worst;
    return false;
}
