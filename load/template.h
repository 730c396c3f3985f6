/* SQL with psql's variables, so that a file of sql/load/ runs as it is under psql -v: :name becomes the value as it
 * stands, :'name' the value as a quoted literal. Only names, dates and numbers of a run go through it: what sources say
 * travels by COPY. */
#ifndef LOAD_TEMPLATE_H
#define LOAD_TEMPLATE_H

#include <stdbool.h>

#include "common/err.h"
#include "common/mem.h"

struct variable {
    const char *name, *value;
};

/* Appends text with every variable replaced; values are not looked at again. :: is a cast. ERR_BUG names a variable
 * that is not among the n. */
bool template_fill(const char *text, const struct variable *variables, int n, struct buf *ret, struct err *err);

#endif
