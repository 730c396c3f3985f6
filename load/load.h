/* One load: a run's staged output into PostgreSQL, in one transaction.
 *
 *   begin     this_company: the companies of the run and what its index says of them (publish.c)
 *   lock      their rows, in order; months that payroll closed are closed here; who is closed; who came back empty
 *   same      the companies that bring what they brought last time are passed over in the next three steps
 *   copy      every entity, part by part (stream.c): straight into its table where that holds nothing to compare with,
 *             else into new_<table>. In both cases new_<table> shows this run's rows
 *   check     totals against the index, invariants (check.c)
 *   merge     what differs: change_<table>, then update, insert, delete (merge.c)
 *   record    discrepancies, rejects, pipeline.run
 *   commit    and, when the connection is lost there, find out */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "common/pg.h"
#include "common/stage.h"
#include "load/entity.h"

enum { ENTITIES = 12, RUN_VARIABLES = 16 };

struct changes {
    int64_t inserted, updated, deleted;
};

/* Companies by id, sorted; in the run's arena. */
struct company_set {
    struct str *v;
    size_t n;
};

struct entity_load {
    struct variable variables[ENTITY_VARIABLES];
    bool direct;               /* straight into the table */
    int64_t rows, cents;       /* of this run, but for those of closed months */
    int64_t skipped;           /* rows of closed months */
    int64_t arrived;           /* rows copied and checked: those of companies passed over are not among them */
    struct changes changes;
};

struct load {
    struct stage_run *run;
    struct pg pg;
    struct staging_in in;
    struct arena arena;        /* of the run */
    struct variable variables[RUN_VARIABLES];
    int n_variables;
    struct entity_load entity[ENTITIES];
    bool whole;                /* not narrowed by --company */
    int64_t companies_ok, companies_failed;
    struct company_set closed; /* their month is closed: its rows are left out */
    struct company_set same;   /* they bring what their last load brought: passed over */
    int64_t months_closed;     /* here, because the payroll system reports them closed */
    int64_t rejects;
    struct changes companies, syncs, reject_changes;
    struct { int64_t seen, opened, returned, reopened, changed, resolved, refreshed; } discrepancy;
    char finished_at[64];      /* what this attempt wrote into pipeline.run; "" when it wrote nothing */
};

/* Runs a query of sql/load/ with the run's variables and, where e is not NULL, the entity's. The caller clears
 * *ret_result. */
bool load_select(struct load *l, const struct query *q, const struct entity_load *e, PGresult **ret_result,
                 struct err *err);
bool load_run(struct load *l, const struct query *q, const struct entity_load *e, int64_t *ret_rows, struct err *err);
/* For queries that answer with three counts: inserted, updated, deleted. */
bool load_changes(struct load *l, const struct query *q, const struct entity_load *e, struct changes *ret,
                  struct err *err);
bool company_set_has(const struct company_set *set, struct str company_id);
/* A whole number of a result. */
int64_t load_number(const PGresult *result, int row, int column);

/* stream.c: the index into this_company, and once the tables are staged, everything else. */
bool stream_companies(struct load *l, struct err *err);
bool stream_entities(struct load *l, struct err *err);

/* check.c: ERR_DATA names what does not add up. */
bool check_all(struct load *l, struct err *err);

/* merge.c: chooses how each entity goes in; applies what differs; discrepancies. */
bool merge_stage(struct load *l, struct err *err);
bool merge_entities(struct load *l, struct err *err);
bool merge_discrepancies(struct load *l, struct err *err);
/* Whether any row but a discrepancy's date of last sight was written. */
bool merge_changed(const struct load *l);

/* publish.c: the transaction. */
bool publish(struct load *l, struct err *err);

/* report.c: the final JSON line, and the texts of pipeline.run. */
void report_fill(const struct load *l);
char *report_counts(const struct load *l, struct arena *a);
char *report_cents(const struct load *l, struct arena *a);

#endif
