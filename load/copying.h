/* One COPY under way: rows go into a buffer, the buffer to the server. It begins with the first row. */
#ifndef LOAD_COPYING_H
#define LOAD_COPYING_H

#include "load/load.h"

struct copying {
    struct load *load;
    struct query query;        /* filled; text is sql's */
    struct buf sql, rows;      /* rows: what was not sent yet; the caller appends to it */
    bool begun;
};

/* COPY destination (columns). */
bool copying_start(struct copying *c, struct load *l, const char *destination, const char *columns, struct err *err);
/* Sends what is in the buffer, once that is much. */
bool copying_flush(struct copying *c, struct err *err);
/* Sends the rest. ok false: the rows are not wanted any more, and the connection will be closed. *ret_rows: how many
 * the server took. */
bool copying_end(struct copying *c, bool ok, int64_t *ret_rows, struct err *err);

#endif
