/* What can only be said of a company's records when all its pages are mapped: one record per id, records that complete
 * others, records that refer to others, and the order in which they are written. */
#ifndef EXTRACT_FINISH_H
#define EXTRACT_FINISH_H

#include "extract/map.h"

/* Sorts the rows of every entity by id (then by page and place, for those of one id), so that the order in which pages
 * arrived leaves no trace, and makes one row of all with one id:
 *   - equal in all fields: one stays, the others are counted as repeated (a record seen again while a list moved, or in
 *     the lists of two months);
 *   - equal but for fields that the description lets differ (`merge`), or that one of them lacks there: the first value
 *     stays, lists of ids are united; counted as repeated;
 *   - a payroll month that is closed for one establishment and open for another is open;
 *   - anything else: the later one is rejected, duplicate_id.
 * Then `fill` records complete theirs, and what refers to a record that is not there is rejected: an employment without
 * its employee, pay of an unknown employment, a line without its invoice. Spare records (skip_if_empty) that nothing
 * refers to are passed over. A reference into an entity that no source gave is not looked into; unread: one flag per
 * source that gave nothing for this company, being optional. */
void mapping_finish(struct mapping *m, const struct source *sources, int n_sources, const bool *unread);

/* The row with this id, or NULL; after mapping_finish. */
void *rows_find(const struct rows *rows, struct str id);

#endif
