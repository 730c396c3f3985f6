/* A configuration with sources, read once, and what becomes of a page that one of its lists is answered with. */
#ifndef TESTS_FUZZ_WORLD_H
#define TESTS_FUZZ_WORLD_H

#include "extract/source.h"
#include "extract/spool.h"

#define WORLD_TOKEN "tOkEn-47"
#define WORLD_COMPANIES                                                                                     \
    "companies:\n"                                                                                          \
    "  - { id: acme, siren: \"404833048\", establishments: [{ siret: \"40483304800022\", "                  \
    "payroll_company_id: pf1, payroll_token: " WORLD_TOKEN " }] }\n"

struct world {
    struct config config;
    struct source *sources;
    int n_sources;
    struct request *requests;
    int n_requests;
};

/* The world of a configuration, which must be good; made at the first call. */
const struct world *world_get(const char *config);

/* Maps the page and finishes the company, and checks: every record read is a row, a reject, repeated or passed over; a
 * row can be staged and read back; a page that cannot be read is a reject. */
void world_map(const struct world *w, const struct request *request, const struct page *page);

#endif
