#include "tests/fuzz/world.h"

#include "extract/finish.h"
#include "tests/fuzz/fuzz.h"

const struct world *world_get(const char *config)
{
    static struct world world;
    static bool made;
    struct err err = {0};
    if (made)
        return &world;
    struct fuzz_file file;
    fuzz_file_open(&file);
    fuzz_file_write(&file, config, strlen(config));
    if (!config_read(&world.config, file.path, STAGE_EXTRACT, true, &err) ||
        !sources_read(&world.config, &world.sources, &world.n_sources, &err))
        fuzz_fail(__FILE__, __LINE__, err.text);
    world.requests = source_requests(world.sources, world.n_sources, &world.config.companies[0], 2026 * 12 + 3,
                                     2026 * 12 + 3, &world.config.arena, &world.n_requests);
    CHECK(world.n_requests > 0);
    made = true;
    return &world;
}

/* A record of company alone is put together of several sources: what one lacks another may have. */
static int64_t check_rows(struct mapping *m)
{
    int64_t n = 0;
    for (int i = 0; i < m->n_rows; i++) {
        const struct rows *rows = &m->rows[i];
        bool whole = !rows->fill && rows->record != &company_record;
        n += rows->fill ? 0 : rows->n;
        for (uint32_t k = 0; k < rows->n && whole; k++) {
            struct faults faults = {0};
            CHECK(record_check(rows->record, rows_at(rows, k), m->arena, &faults));
            fuzz_check_line(rows->record, rows_at(rows, k));
        }
    }
    return n;
}

void world_map(const struct world *w, const struct request *request, const struct page *page)
{
    struct arena a = {0};
    struct mapping m = {0};
    struct reject_log log = {0};
    bool unread[8] = {0};
    int64_t records = -1;
    m.log = &log;
    mapping_begin(&m, NULL, &w->config.companies[0], &a);
    bool good = map_page(&m, request, page, &records);
    CHECK(records >= 0 && m.rejected <= m.read);
    CHECK(good || log.n > 0);
    check_rows(&m);
    mapping_finish(&m, w->sources, w->n_sources, unread);
    CHECK(check_rows(&m) + m.rejected + m.repeated + m.passed_over == m.read);
    reject_log_free(&log);
    mapping_free(&m);
    arena_free(&a);
}
