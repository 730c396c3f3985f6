/* Canonical records as rows of COPY's binary format. Columns are the record's fields: months become their first day,
 * lists of records jsonb, lists of texts text[], cents and counts bigint, instants timestamptz, enumerations text. */
#ifndef LOAD_COPY_H
#define LOAD_COPY_H

#include "common/mem.h"
#include "common/records.h"

/* What stands before the first row and behind the last one. */
void copy_header(struct buf *b);
void copy_trailer(struct buf *b);

/* Appends a row: the record's fields but for those whose bit is set in skip. `more` values follow, which the caller
 * appends with the functions below. */
void copy_row(const struct record *r, const void *rec, uint32_t skip, int more, struct buf *b);

/* Appends the column list, "company_id, siren, ...", each with prefix in front. */
void copy_columns(const struct record *r, uint32_t skip, const char *prefix, struct buf *b);

/* A row of n values without a record; the caller appends them. */
void copy_values(int n, struct buf *b);

/* Append one value: a text (null where it is null), a bigint (null: INT_NONE), a boolean, a date[]. */
void copy_text(struct str s, struct buf *b);
void copy_integer(int64_t n, struct buf *b);
void copy_bool(bool truth, struct buf *b);
void copy_dates(const date_t *v, uint32_t n, struct buf *b);

#endif
