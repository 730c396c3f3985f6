/* From pages to canonical records, as the source's description says. */
#ifndef EXTRACT_MAP_H
#define EXTRACT_MAP_H

#include "common/staging.h"
#include "extract/reject_log.h"
#include "extract/source.h"
#include "extract/spool.h"
#include "extract/value.h"

/* Where a record came from, for rejects that are found when all pages are read. */
struct origin {
    const struct entity_source *entity;
    struct str source;             /* URL without credentials, or file */
    struct str raw;
    int64_t line;                  /* line of the file, or number of the record on the page */
    bool spare;                    /* skip_if_empty: kept only when another record refers to it */
};

/* The records of one entity: an array of the record's struct, and as many origins. */
struct rows {
    const struct record *record;
    bool fill;                     /* records that only fill others */
    char *rec;
    struct origin *origin;
    uint32_t n, cap;
};

/* A company with more rejects than this is not read on: a server that sends rubbish would fill memory and disk. */
enum { REJECTS_MAX = 100000 };

/* What a company's pages have given so far. Text lies in the pages or in the arena, so the pages must stay mapped until
 * the records are written. Zero it to start; mapping_begin keeps the rows' memory for the next company.
 * Every record read is in the end a row, a reject, repeated (equal to another one) or passed over (skip_if_empty). */
struct mapping {
    struct part *part;             /* rejects go there; NULL: to the log alone */
    const struct config_company *company;
    struct arena *arena;           /* of the company */
    struct arena page;             /* of the page being read */
    struct rows rows[ENTITIES_MAX];
    int n_rows;
    int64_t read, rejected, repeated, passed_over;
    struct reject_log *log;        /* of the run; NULL: none */
};

void mapping_begin(struct mapping *m, struct part *part, const struct config_company *company, struct arena *a);
void mapping_free(struct mapping *m);
/* The rows of an entity, made when there are none yet. */
struct rows *mapping_rows(struct mapping *m, const struct record *record, bool fill);
/* The same, or NULL. */
struct rows *mapping_find(struct mapping *m, const struct record *record);

static inline void *rows_at(const struct rows *rows, uint32_t i)
{
    return rows->rec + rows->record->size * i;
}

/* Maps all records of one page, also for entities that read another one's pages. A record with faults becomes a reject
 * (all its faults, the page's URL or file as source, the record's number or CSV line, its raw text) and is not added; a
 * page that cannot be read at all is one reject and false is returned: the list is incomplete. *ret_records counts
 * records found on the page, rejected ones included. */
bool map_page(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records);

/* ---- for the readers of JSON and CSV pages behind map_page ---- */

/* Where a value goes. partial: the record only adds to another one, so that a required field may be missing. */
struct map_target {
    void *rec;
    struct faults *faults;
    struct arena *arena;           /* of the company */
    char decimal_point;
    bool partial;
};
/* One field from its candidates in order: the first that is not null is taken, else the description's default. */
void map_field(const struct map_target *t, const struct field_map *f, const struct wire_value *candidates, int n);
/* A list of ids or other texts. */
void map_texts(const struct map_target *t, const struct field_map *f, const struct wire_value *values, uint32_t n);

/* A record of a page, from map_begin to map_end. */
struct map_record {
    struct mapping *m;
    const struct request *request;
    const struct entity_source *entity;
    struct rows *rows;
    struct origin origin;
    struct faults faults;
    struct map_target target;
};
/* Begins a record: all null but company_id. There is one at a time. */
void map_begin(struct map_record *r, struct mapping *m, const struct request *request, const struct entity_source *e,
               const struct origin *origin);
/* Ends it: checks what only a whole record shows, then adds it to its rows or to the rejects. */
void map_end(struct map_record *r);
/* A reject that is no record: a page that cannot be read. company may be NULL. */
void map_reject(struct mapping *m, const struct origin *origin, const struct faults *faults);
/* REJECTS_MAX is reached: false with a fault of the page, whose rest is not read. */
bool map_goes_on(const struct mapping *m, struct faults *faults);

static inline bool is_template(const char *at)
{
    return strchr(at, '{') != NULL;
}
struct wire_value map_template(const struct map_record *r, const char *template);

bool map_json(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records);
bool map_csv(struct mapping *m, const struct request *request, const struct page *page, int64_t *ret_records);

#endif
