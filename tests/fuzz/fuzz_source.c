/* The description of a source, as somebody writes one for a server of their own: what can be read makes requests whose
 * URLs may be asked. */
#include "extract/url.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

static const char CONFIG[] = "version: 1\nsources: { mine: { use: %s } }\n" WORLD_COMPANIES;

/* The token belongs into no URL and no path, unless the description has it of its own. */
static void check_request(const struct request *r, bool token_given, struct arena *a)
{
    struct walk walk;
    struct err err = {0};
    char *url;
    CHECK(r->entity->record && r->entity->n_fields > 0 && r->company && r->entity->path);
    CHECK(r->entity->paging.cap > 0);
    for (int i = 0; i < r->entity->n_fields; i++)
        CHECK(r->entity->fields[i].field);
    walk_start(&walk, r->entity);
    if (!url_build(r, &walk, false, a, &url, &err)) {
        fuzz_check_err(&err);
        return;
    }
    CHECK(token_given || !strstr(url, WORLD_TOKEN));
    if (r->source->kind == SOURCE_REST && !url_check(r->source, url, &err))
        fuzz_check_err(&err);
}

void fuzz_one(struct str text)
{
    static struct fuzz_file config, description;
    struct config c;
    struct source *sources;
    struct err err = {0};
    int n, n_requests;
    char main_file[sizeof CONFIG + sizeof description.path];
    if (!config.path[0]) {
        fuzz_file_open(&config);
        fuzz_file_open(&description);
    }
    snprintf(main_file, sizeof main_file, CONFIG, description.path);
    fuzz_file_write(&config, main_file, strlen(main_file));
    fuzz_file_write(&description, text.p, text.len);
    CHECK(config_read(&c, config.path, STAGE_EXTRACT, true, &err));
    if (sources_read(&c, &sources, &n, &err)) {
        CHECK(n == 1);
        struct request *requests = source_requests(sources, n, &c.companies[0], 2026 * 12, 2026 * 12 + 3, &c.arena,
                                                   &n_requests);
        bool token_given = memmem(text.p, text.len, WORLD_TOKEN, strlen(WORLD_TOKEN)) != NULL;
        for (int i = 0; i < n_requests; i++)
            check_request(&requests[i], token_given, &c.arena);
    } else {
        fuzz_check_err(&err);
        CHECK(err.kind == ERR_CONFIG);
    }
    config_free(&c);
}
