/* Which record goes into which table, and how a run's rows are laid over those of the runs before it. */
#ifndef LOAD_ENTITY_H
#define LOAD_ENTITY_H

#include "common/records.h"
#include "load/template.h"

enum scope {
    SCOPE_COMPANY,         /* all rows of a company */
    SCOPE_WINDOW,          /* those of the billing months that extract reads again */
    SCOPE_MONTH            /* those of the payroll month, unless it is closed */
};

/* Tables are called payroll.<record name>. */
struct entity {
    const struct record *record;
    enum scope scope;
    const char *month;     /* column that the scope looks at; NULL for SCOPE_COMPANY */
    const char *key;       /* columns that tell rows apart, with spaces between; text ones may be null */
    const char *removable; /* condition on a row t that is gone from the source: may it be deleted? */
};

/* In the order of loading. Rows that are gone go in the same order: a contribution before the employment it names, an
 * employment before its employee. */
enum { ENTITIES = 12 };
extern const struct entity entities[ENTITIES];
extern const int n_entities;

/* The variables of the templates in sql/load/: table, entity, columns, t_columns, n_columns, picked, match, member,
 * present, month, in_months, gone, sum, whole, touched, before, staying and changed. Their values live in the arena. */
enum { ENTITY_VARIABLES = 18 };
void entity_variables(const struct entity *e, month_t period, month_t window_first, month_t window_last,
                      struct arena *a, struct variable ret[ENTITY_VARIABLES]);
/* A query for the facts in all tables, each by its company and the transaction that wrote it: variable counted of sql/load/.
 * all: of every company there is; else of those of the run alone, without what their closed month holds. */
const char *entity_counted(bool all, month_t period, month_t window_first, month_t window_last, struct arena *a);
/* A query whose columns say of each entity whether its table holds anything to compare with: any_present. */
const char *entity_any_present(month_t period, month_t window_first, month_t window_last, struct arena *a);
/* The month of a record that the scope looks at; MONTH_NONE for SCOPE_COMPANY. */
month_t entity_month(const struct entity *e, const void *rec);

/* The value of one of them. */
const char *entity_value(const struct variable variables[ENTITY_VARIABLES], const char *name);
void entity_set(struct variable variables[ENTITY_VARIABLES], const char *name, const char *value);

#endif
