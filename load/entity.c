#include "load/entity.h"

#include <string.h>

#include "load/copy.h"

/* A row that closed months, or open months of other runs, still refer to stays. */
#define UNUSED(column) \
    "NOT EXISTS (SELECT FROM payroll.contribution AS c " \
    "WHERE c.company_id = t.company_id AND c." column " = t." column ")"
#define ALWAYS "true"

const struct entity entities[] = {
    {&contribution_record, SCOPE_MONTH, "payroll_month",
     "company_id payroll_month line_id employment_id cover_from status", ALWAYS},
    {&coverage_record, SCOPE_MONTH, "payroll_month", "company_id payroll_month employment_id", ALWAYS},
    {&invoice_control_record, SCOPE_MONTH, "payroll_month", "company_id payroll_month invoice_id", ALWAYS},
    {&contract_record, SCOPE_COMPANY, NULL, "company_id contract_id", UNUSED("contract_id")},
    {&invoice_record, SCOPE_WINDOW, "billing_month", "company_id invoice_id", UNUSED("invoice_id")},
    {&payroll_contract_record, SCOPE_COMPANY, NULL, "company_id payroll_contract_id", ALWAYS},
    {&pay_base_record, SCOPE_WINDOW, "month", "company_id employment_id month", ALWAYS},
    {&payroll_period_record, SCOPE_WINDOW, "month", "company_id month", ALWAYS},
    {&affiliation_record, SCOPE_COMPANY, NULL, "company_id affiliation_id", ALWAYS},
    {&member_record, SCOPE_COMPANY, NULL, "company_id member_id", UNUSED("member_id")},
    {&employment_record, SCOPE_COMPANY, NULL, "company_id employment_id", UNUSED("employment_id")},
    {&employee_record, SCOPE_COMPANY, NULL, "company_id employee_id",
     "NOT EXISTS (SELECT FROM payroll.employment AS e "
     "WHERE e.company_id = t.company_id AND e.employee_id = t.employee_id)"},
};
const int n_entities = sizeof entities / sizeof *entities;

static bool in_key(const struct entity *e, const char *column)
{
    for (const char *word = e->key; *word;) {
        size_t len = strcspn(word, " ");
        if (len == strlen(column) && memcmp(word, column, len) == 0)
            return true;
        word += len + strspn(word + len, " ");
    }
    return false;
}

/* Equality that a hash join can use: a null text counts as an empty one, which no source gives as an identifier. */
static const char *match(const struct entity *e, struct arena *a)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < e->record->n_fields; i++) {
        const struct field *f = &e->record->fields[i];
        if (!in_key(e, f->name))
            continue;
        buf_adds(&b, b.len ? " AND " : "");
        if (f->need == NEED_OPT)
            buf_addf(&b, "coalesce(t.%s, '') = coalesce(n.%s, '')", f->name, f->name);
        else
            buf_addf(&b, "t.%s = n.%s", f->name, f->name);
    }
    const char *text = arena_copy(a, b.p, b.len);
    buf_free(&b);
    return text;
}

/* The new row's columns; of a row that is gone, its key. */
static const char *picked(const struct entity *e, struct arena *a)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < e->record->n_fields; i++) {
        const struct field *f = &e->record->fields[i];
        buf_adds(&b, i ? ", " : "");
        if (in_key(e, f->name))
            buf_addf(&b, "coalesce(n.%s, t.%s) AS %s", f->name, f->name, f->name);
        else
            buf_addf(&b, "n.%s", f->name);
    }
    const char *text = arena_copy(a, b.p, b.len);
    buf_free(&b);
    return text;
}

static const char *columns(const struct entity *e, const char *prefix, struct arena *a)
{
    struct buf b = {0};
    copy_columns(e->record, 0, prefix, &b);
    const char *text = arena_copy(a, b.p, b.len);
    buf_free(&b);
    return text;
}

/* The rows of a run's scope in the table, t: of the payroll month, or of the months that extract reads again. */
static const char *months(const struct entity *e, month_t period, month_t window_first, month_t window_last,
                          struct arena *a)
{
    char first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
    if (e->scope == SCOPE_COMPANY)
        return "true";
    if (e->scope == SCOPE_MONTH)
        return arena_printf(a, "t.%s = '%s'", e->month, date_text(month_first(period), first));
    return arena_printf(a, "t.%s BETWEEN '%s' AND '%s'", e->month, date_text(month_first(window_first), first),
                        date_text(month_first(window_last), last));
}

/* The companies c whose rows may be of this run: a closed month's are left alone. */
static const char *member(const struct entity *e)
{
    return e->scope == SCOPE_MONTH ? "NOT c.closed" : "true";
}

/* What a run's rows are compared with: of a company that sent all it has, every row of the scope. A row of a window's
 * entity may be of a month outside, and one whose month is no part of its key may have had another. */
static const char *whole(const struct entity *e, const char *in_months, struct arena *a)
{
    const char *scope = in_months;
    if (e->scope == SCOPE_WINDOW)
        scope = in_key(e, e->month) ? arena_printf(a, "(%s OR t.%s IN (SELECT %s FROM new_%s))", in_months, e->month,
                                                   e->month, e->record->name)
                                    : "true";
    return arena_printf(a, "SELECT %s FROM payroll.%s AS t JOIN brought AS c USING (company_id) "
                        "WHERE %s AND NOT c.based AND %s", columns(e, "t.", a), e->record->name, member(e), scope);
}

/* Of a company that sent what differs from its last load: the rows of the keys sent. */
static const char *touched(const struct entity *e, const char *in_months, struct arena *a)
{
    struct buf keys = {0};
    for (uint32_t i = 0; i < e->record->n_fields; i++)
        if (in_key(e, e->record->fields[i].name))
            buf_addf(&keys, "%sn.%s", keys.len ? ", " : "", e->record->fields[i].name);
    const char *text = arena_printf(a, "SELECT %s FROM (SELECT DISTINCT %s FROM new_%s AS n JOIN brought AS c "
                                    "USING (company_id) WHERE c.based) AS n JOIN payroll.%s AS t ON %s WHERE %s",
                                    columns(e, "t.", a), buf_str(&keys), e->record->name, e->record->name,
                                    match(e, a), in_months);
    buf_free(&keys);
    return text;
}

void entity_variables(const struct entity *e, month_t period, month_t window_first, month_t window_last,
                      struct arena *a, struct variable ret[ENTITY_VARIABLES])
{
    const struct record *r = e->record;
    const char *in_months = months(e, period, window_first, window_last, a);
    const char *month = e->scope == SCOPE_MONTH ? in_months : "true";
    const struct variable variables[ENTITY_VARIABLES] = {
        {"table", r->name},
        {"entity", r->entity},
        {"columns", columns(e, "", a)},
        {"t_columns", columns(e, "t.", a)},
        {"n_columns", columns(e, "n.", a)},
        {"picked", picked(e, a)},
        {"match", match(e, a)},
        {"member", member(e)},
        {"present", arena_printf(a, "c.loads AND %s AND %s", member(e), month)},
        {"month", month},
        {"in_months", in_months},
        {"gone", arena_printf(a, "%s AND %s", in_months, e->removable)},
        {"sum", r->sum_field < 0 ? "company_id" : r->fields[r->sum_field].name},
        {"whole", whole(e, in_months, a)},
        {"touched", touched(e, month, a)},
        {"before", ""},
        {"staying", ""},
        {"changed", ""},
    };
    memcpy(ret, variables, sizeof variables);
}

month_t entity_month(const struct entity *e, const void *rec)
{
    for (uint32_t i = 0; e->month && i < e->record->n_fields; i++)
        if (strcmp(e->record->fields[i].name, e->month) == 0)
            return *(const month_t *)((const char *)rec + e->record->fields[i].offset);
    return MONTH_NONE;
}

const char *entity_counted(bool all, month_t period, month_t window_first, month_t window_last, struct arena *a)
{
    struct buf b = {0};
    for (int i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        buf_addf(&b, "%sSELECT t.company_id, t.xmin FROM payroll.%s AS t WHERE %s", i ? "\nUNION ALL\n" : "",
                 e->record->name, months(e, period, window_first, window_last, a));
        if (!all)
            buf_addf(&b, " AND t.company_id = ANY (ARRAY(SELECT c.company_id FROM this_company AS c "
                     "WHERE c.loads AND %s))", member(e));
    }
    const char *text = arena_copy(a, b.p, b.len);
    buf_free(&b);
    return text;
}

const char *entity_any_present(month_t period, month_t window_first, month_t window_last, struct arena *a)
{
    struct buf b = {0};
    for (int i = 0; i < n_entities; i++) {
        struct variable variables[ENTITY_VARIABLES];
        entity_variables(&entities[i], period, window_first, window_last, a, variables);
        buf_addf(&b, "%srow_security_active('payroll.%s') OR EXISTS (SELECT FROM payroll.%s AS t "
                 "JOIN this_company AS c USING (company_id) WHERE %s)", i ? ",\n" : "SELECT ", entities[i].record->name,
                 entities[i].record->name, entity_value(variables, "present"));
    }
    const char *text = arena_copy(a, b.p, b.len);
    buf_free(&b);
    return text;
}

const char *entity_value(const struct variable variables[ENTITY_VARIABLES], const char *name)
{
    for (int i = 0; i < ENTITY_VARIABLES; i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}

void entity_set(struct variable variables[ENTITY_VARIABLES], const char *name, const char *value)
{
    for (int i = 0; i < ENTITY_VARIABLES; i++)
        if (strcmp(variables[i].name, name) == 0)
            variables[i].value = value;
}
