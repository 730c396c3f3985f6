/* CSV as spreadsheets write it: any separator, quotes, UTF-8 with or without BOM or Windows-1252, rows that know their
 * line. Reading the cells is libcsv's. */
#ifndef EXTRACT_CSV_H
#define EXTRACT_CSV_H

#include "common/str.h"
#include "extract/source.h"

enum { CSV_COLUMNS_MAX = 512, CSV_FAULT_MAX = 256 };

/* The bytes of a file as UTF-8 without BOM; without a copy where they are that already, else in the arena. False with a
 * reason in fault (CSV_FAULT_MAX bytes) when they are not in the source's encoding. */
bool csv_decode(struct str bytes, const struct source *source, struct arena *a, struct str *ret, char *fault);

/* Cells are NUL-free slices, valid during the call; empty ones have length 0. */
struct csv_row {
    const struct str *cell;
    int n;
    int64_t line;          /* where it begins */
    struct str raw;        /* its bytes in the text, without the end of line */
};

/* Calls row for every row that is not blank, the header too; first_line is the number of the text's first line. False
 * with the line and reason in fault when the text is not CSV (a quote out of place, too many cells), or when row
 * returned false (fault is then empty). */
bool csv_rows(struct str text, char separator, int64_t first_line, bool (*row)(void *arg, const struct csv_row *row),
              void *arg, char *fault);

#endif
