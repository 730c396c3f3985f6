/* CSV files: a header bound to the fields of an entity, rows mapped through it. Behind map_page for the files of one
 * company, and for shared.c, which hands out the rows of a file of all companies. */
#ifndef EXTRACT_MAP_CSV_H
#define EXTRACT_MAP_CSV_H

#include "extract/csv.h"
#include "extract/map.h"

/* Which column holds what; -1: none. */
struct csv_header {
    const struct entity_source *entity;
    int n_columns;
    int company_column;
    int *column;           /* of each of the entity's fields, its first place that is a column */
    bool *named;           /* of each column: the header names it */
};

/* Binds the header row; every fault (a column missing, twice, unknown) is added. Memory from a. */
bool csv_header_bind(const struct source *source, const struct entity_source *e, const struct csv_row *row,
                     struct arena *a, struct csv_header *ret, struct faults *faults);
/* Maps one row to a record or a reject; source names the file. */
void csv_row_map(struct mapping *m, const struct request *request, const struct csv_header *header, struct str source,
                 const struct csv_row *row);

#endif
