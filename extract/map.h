/* From pages to canonical records, as the source's description says. */
#ifndef EXTRACT_MAP_H
#define EXTRACT_MAP_H

#include "common/staging.h"
#include "extract/source.h"
#include "extract/spool.h"

/* What a company's pages have given so far: records of one entity from several pages and requests. */
struct mapping {
    struct part *part;             /* rejects go there */
    const struct config_company *company;
    struct arena *arena;           /* of the company */
    struct { const struct record *record; struct list rows; uint32_t cap; } entity[ENTITIES_MAX];
    int n_entities;
};

/* Maps all records of one page. A record with faults becomes a reject (all its faults, the page's URL or file as source,
 * the record's number or CSV line, its raw text) and is not added; a page that cannot be read at all is one reject and
 * false is returned: the list is incomplete. *ret_records counts records found on the page, rejected ones included. */
bool map_page(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records);

/* Canonical value of one wire value; shared with tests. text is the JSON scalar or CSV cell without quotes. False with
 * a reason and a fault text that names what was expected. */
struct wire_value { struct str text; bool is_string, is_number, is_bool, is_null; };
bool map_value(const struct field_map *f, const struct wire_value *v, char decimal_point, struct arena *a, void *rec,
               struct faults *faults);

#endif
