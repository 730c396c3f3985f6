/* The schema: its version, and how it comes to be. */
#ifndef LOAD_MIGRATE_H
#define LOAD_MIGRATE_H

#include "common/pg.h"
#include "common/stage.h"

/* ERR_CONFIG unless the database has exactly the migrations embedded here; says what to run. */
bool schema_check(struct pg *pg, struct err *err);

/* `load --migrate`: in one transaction, under a lock, the migrations that are missing, then roles, functions, views and
 * the catalogue of discrepancies. A migration that was applied and has changed since is refused, ERR_CONFIG. */
bool migrate(struct pg *pg, struct stage_run *run, struct err *err);

#endif
