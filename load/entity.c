#include "load/entity.h"

#include <string.h>

#include "load/copy.h"

/* A row that closed months, or open months of other runs, still refer to stays. */
#define UNUSED(column) \
    "NOT EXISTS (SELECT FROM payroll.contribution AS c " \
    "WHERE c.company_id = t.company_id AND c." column " = t." column ")"
#define ALWAYS "true"

const struct entity entities[] = {
    {&contribution_record, SCOPE_MONTH, "payroll_month", "company_id payroll_month line_id employment_id cover_from status",
     ALWAYS},
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

void entity_variables(const struct entity *e, month_t period, month_t window_first, month_t window_last,
                      struct arena *a, struct variable ret[ENTITY_VARIABLES])
{
    char day[DATE_TEXT_MAX], first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
    date_text(month_first(period), day);
    date_text(month_first(window_first), first);
    date_text(month_first(window_last), last);
    const struct record *r = e->record;
    const char *member = e->scope == SCOPE_MONTH ? "c.loads AND NOT c.closed" : "c.loads";
    const char *month = "true", *scope = member, *gone = "true";
    if (e->scope == SCOPE_MONTH) {
        month = arena_printf(a, "t.%s = '%s'", e->month, day);
        scope = arena_printf(a, "%s AND %s", member, month);
    } else if (e->scope == SCOPE_WINDOW) {
        gone = arena_printf(a, "t.%s BETWEEN '%s' AND '%s'", e->month, first, last);
        if (in_key(e, e->month))   /* else the same row may come back with another month */
            scope = arena_printf(a, "%s AND t.%s BETWEEN (SELECT least('%s', min(%s)) FROM new_%s) AND "
                                 "(SELECT greatest('%s', max(%s)) FROM new_%s)",
                                 member, e->month, first, e->month, r->name, last, e->month, r->name);
    }
    const struct variable variables[ENTITY_VARIABLES] = {
        {"table", r->name},
        {"entity", r->entity},
        {"columns", columns(e, "", a)},
        {"t_columns", columns(e, "t.", a)},
        {"n_columns", columns(e, "n.", a)},
        {"picked", picked(e, a)},
        {"match", match(e, a)},
        {"member", member},
        {"present", e->scope == SCOPE_MONTH ? scope : member},
        {"scope", scope},
        {"month", month},
        {"gone", arena_printf(a, "%s AND %s", gone, e->removable)},
        {"sum", r->sum_field < 0 ? "0" : r->fields[r->sum_field].name},
    };
    memcpy(ret, variables, sizeof variables);
}

const char *entity_value(const struct variable variables[ENTITY_VARIABLES], const char *name)
{
    for (int i = 0; i < ENTITY_VARIABLES; i++)
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    return NULL;
}
