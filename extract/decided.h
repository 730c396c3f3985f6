/* What people decided and what closed months hold, read from PostgreSQL: links, dispenses, closed payroll months and
 * what those gave. One query an entity for a batch of companies at a time, in the order of the configuration: no
 * transaction stays open while sources are fetched, and memory is bounded by the batch. */
#ifndef EXTRACT_DECIDED_H
#define EXTRACT_DECIDED_H

#include "common/config.h"
#include "common/pg.h"
#include "common/records.h"

enum { DECIDED_BATCH = 64, DECIDED_ENTITIES = 4 };

struct decided {
    const char *url;
    month_t first, last;           /* billing months */
    int month_shift;               /* from a billing month to the payroll month that carries it */
    struct pg pg;
    struct arena arena;            /* of the batch */
    int from, n;                   /* the batch: places among the companies given */
    struct decided_rows {
        const struct record *record;
        char *rec;
        int *place;
        uint32_t n, cap;
    } rows[DECIDED_ENTITIES];
};

/* Connects and looks whether the schema is there. */
bool decided_open(struct decided *d, const char *url, month_t first, month_t last, int month_shift, struct err *err);
/* Makes companies[at] part of the batch, reading the batch that begins there when it is not. */
bool decided_read(struct decided *d, const struct config_company *const *companies, int n, int at, struct err *err);
/* The records of an entity of companies[at], sorted; valid until the next batch is read. */
const void *decided_rows(const struct decided *d, int entity, int at, uint32_t *ret_n);
void decided_close(struct decided *d);

#endif
