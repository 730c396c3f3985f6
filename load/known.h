/* What the database knows of the companies of a run, read beside the index, which has them in the same order: memory does
 * not grow with them. */
#ifndef LOAD_KNOWN_H
#define LOAD_KNOWN_H

#include <libpq-fe.h>

#include "common/digest.h"
#include "common/err.h"
#include "common/str.h"

struct load;

struct known {
    bool closed;               /* its month is: rows of it are left out */
    bool remembered;           /* its facts are those of its last load, of which the rest is said */
    bool kept;                 /* there are rows that were not among those brought */
    int64_t rows;
    char digest[XXH128_HEX + 1];
};

/* Some of them, from the first that was not asked for yet. */
struct known_rows {
    PGresult *result;
    int at, n;
    int64_t left;              /* still with the server */
};

/* Once the companies are locked, and closed months known. */
bool known_begin(struct load *l, struct err *err);
/* What is known of a company: all false when nothing is. Ids must be asked for in the order of the index. */
bool known_find(struct load *l, struct str company_id, struct known *ret, struct err *err);
void known_end(struct load *l);

#endif
