/* A canonical record as one row of COPY's text format. Columns are the record's fields: months become their first
 * day, lists of records jsonb, lists of texts text[], everything else is written as in NDJSON. */
#ifndef LOAD_COPY_H
#define LOAD_COPY_H

#include "common/mem.h"
#include "common/records.h"

/* Appends the row with its newline. Fields whose bit is set in skip are left out. */
void copy_row(const struct record *r, const void *rec, uint32_t skip, struct buf *b);

/* Appends the column list, "company_id, siren, ...", each with prefix in front. */
void copy_columns(const struct record *r, uint32_t skip, const char *prefix, struct buf *b);

/* Appends one text as a COPY value, escaped; null is \N. */
void copy_text(struct str s, struct buf *b);

#endif
