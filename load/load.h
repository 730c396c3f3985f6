/* One load: a run's staged output into PostgreSQL, in one transaction.
 *
 *   ahead     meanwhile, a thread verifies the staged files and digests what each company brings (ahead.c)
 *   begin     this_company: the companies of the run and what its index says of them (index.c)
 *   lock      their rows, in order; months that payroll closed are closed here; who is closed; who came back empty
 *   known     whose facts are those of its last load (known.c). Who brings the same again is passed over
 *   copy      every entity, part by part (stream.c): straight into its table where that holds nothing to compare with,
 *             before the table's indexes where it is empty and much is to come (sql/functions/12_suspend.sql);
 *             else into new_<table>: all rows of a company, or, where its last load is still staged, what differs
 *             from it (parts.c, base.c, diff.c)
 *   merge     change_<table>, then update, insert, delete (merge.c)
 *   check     what is there now: totals against the index, invariants (check.c)
 *   record    how the sources were read, discrepancies, rejects, pipeline.run
 *   commit    and, when the connection is lost there, find out */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "common/pg.h"
#include "common/stage.h"
#include "load/ahead.h"
#include "load/entity.h"
#include "load/known.h"

enum { RUN_VARIABLES = 18 };

struct changes {
    int64_t inserted, updated, deleted;
};

struct entity_load {
    struct variable variables[ENTITY_VARIABLES];
    bool direct;               /* straight into the table … */
    const char *partition;     /* … or into the one partition of it that they are of, if that may be named */
    int64_t rows, cents;       /* of this run, but for those of closed months */
    int64_t skipped;           /* rows of closed months */
    int64_t brought_rows, brought_cents;   /* of companies that are not passed over, as the index has them */
    int64_t arrived;           /* the same, as the server took them or had them */
    int64_t sent, past;        /* rows copied, and how many of them are only gone */
    int64_t outside;           /* rows that are not of the months of the scope */
    struct changes changes;
};

struct base;

struct load {
    struct stage_run *run;
    struct pg pg;
    struct staging_in in;
    struct ahead *ahead;
    struct base *base;         /* an earlier run; NULL until a company differs from what is remembered of it */
    month_t window_first, window_last;   /* the billing months that extract reads again */
    struct arena arena;        /* of the run */
    struct variable variables[RUN_VARIABLES];
    int n_variables;
    struct entity_load entity[ENTITIES];
    bool whole;                /* not narrowed by --company */
    int64_t companies_ok, companies_failed;
    int64_t companies_closed;  /* their month is: its rows are left out */
    int64_t companies_known;   /* to the database, as closed or by what they brought last */
    struct known_rows known;
    int64_t companies_same;    /* they bring what their last load brought: passed over */
    int64_t companies_based, companies_whole;   /* of the others: compared with base, or whole */
    bool staged;               /* there are others: tables for what they bring */
    int64_t suspended;         /* of their tables, without indexes until they are filled */
    int64_t companies_later;   /* the database had a later extract of their month */
    int64_t months_closed;     /* here, because the payroll system reports them closed */
    int64_t rejects;
    struct changes companies, syncs, reject_changes;
    struct { int64_t seen, opened, returned, reopened, changed, resolved; } discrepancy;
    char finished_at[64];      /* what this attempt wrote into pipeline.run; "" when it wrote nothing */
};

/* One more variable of the run for the queries that follow, until n_variables is put back; name and value are borrowed. */
void load_variable(struct load *l, const char *name, const char *value);
/* Runs a query of sql/load/ with the run's variables and, where e is not NULL, the entity's. The caller clears
 * *ret_result. */
bool load_select(struct load *l, const struct query *q, const struct entity_load *e, PGresult **ret_result,
                 struct err *err);
bool load_run(struct load *l, const struct query *q, const struct entity_load *e, int64_t *ret_rows, struct err *err);
/* For queries that answer with three counts: inserted, updated, deleted. */
bool load_changes(struct load *l, const struct query *q, const struct entity_load *e, struct changes *ret,
                  struct err *err);
/* A whole number of a result. */
int64_t load_number(const PGresult *result, int row, int column);

/* index.c: the index into this_company, and its sources into this_source. stream.c: once the tables are staged, everything
 * else. rejects.c: its end. */
bool stream_companies(struct load *l, struct err *err);
bool stream_sources(struct load *l, struct err *err);
bool stream_entities(struct load *l, struct err *err);
bool stream_rejects(struct load *l, struct err *err);

/* check.c: ERR_DATA names what does not add up: in what came, before it is merged, and in what is there then. */
bool check_came(struct load *l, struct err *err);
bool check_now(struct load *l, struct err *err);

/* merge.c: chooses how each entity goes in; applies what differs; discrepancies. */
bool merge_stage(struct load *l, struct err *err);
bool merge_entities(struct load *l, struct err *err);
bool merge_discrepancies(struct load *l, struct err *err);
/* Whether any row was written but those that tell when something was read or seen. */
bool merge_changed(const struct load *l);

/* publish.c: the transaction. */
bool publish(struct load *l, struct err *err);

/* report.c: the final JSON line, and the texts of pipeline.run. */
void report_fill(const struct load *l);
char *report_counts(const struct load *l, struct arena *a);
char *report_cents(const struct load *l, struct arena *a);

#endif
