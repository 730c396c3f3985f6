/* A page of JSON as a source answers it, through the descriptions that are built in: what it says of the next page, and
 * the records that are made of it. First byte: which list of which source. */
#include "extract/finish.h"
#include "extract/paging.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

static const char CONFIG[] =
    "version: 1\n"
    "sources:\n"
    "  alan: { use: alan, base_url: https://alan.example, auth: { kind: bearer, token: t } }\n"
    "  payroll: { use: payfit, base_url: https://payfit.example, auth: { kind: bearer, token: t } }\n"
    WORLD_COMPANIES;

static void check_facts(const struct request *request, struct str body)
{
    struct arena a = {0};
    struct page_facts facts;
    struct err err;
    struct str link = STR("<https://alan.example/next>; rel=\"next\"");
    if (page_read_facts(request->entity, body, link, &a, &facts, &err)) {
        CHECK(facts.next.len <= CURSOR_MAX);
        CHECK(facts.records >= 0 || facts.records == INT_NONE);
        CHECK(facts.total >= 0 || facts.total == INT_NONE);
    } else {
        fuzz_check_err(&err);
    }
    arena_free(&a);
}

void fuzz_one(struct str text)
{
    const struct world *w = world_get(CONFIG);
    const struct request *request = &w->requests[fuzz_select(&text, w->n_requests)];
    const struct page page = {.number = 1, .url = STR("https://alan.example/list"), .total = INT_NONE, .body = text};
    check_facts(request, text);
    world_map(w, request, &page);
}
