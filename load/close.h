/* Closing and reopening a payroll month. */
#ifndef LOAD_CLOSE_H
#define LOAD_CLOSE_H

#include "common/pg.h"
#include "common/stage.h"

/* `load --close` and `--reopen`: the payroll month for each selected company of the configuration, each in a
 * transaction of its own. What the database refuses for a reason (held money, a month not loaded, one closed already) is reported
 * with that reason and the others go on: true with ERR_PARTIAL; ERR_DATA when all were refused. Anything else ends the
 * work; companies done before stay done. The report tells of all of it. */
bool close_companies(struct pg *pg, struct stage_run *run, struct err *err);

#endif
