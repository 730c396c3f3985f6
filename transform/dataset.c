#include "transform/reading.h"

#include <stdlib.h>

static void *read_array(struct reading *rd, const struct record *r, const struct order_key *order, uint32_t *ret_n)
{
    struct dataset *d = rd->d;
    void *v = part_decode(rd->in, &d->company, r, d->arena, ret_n, &rd->rejects);
    sort_records(v, *ret_n, r->size, order);
    return v;
}

/* Reads an entity that goes through unchanged: as it came when it came in order and whole, else written anew. */
static bool pass_array(struct reading *rd, const struct record *r, const struct order_key *order, void **ret_v,
                       uint32_t *ret_n)
{
    struct dataset *d = rd->d;
    uint32_t rejects_before = rd->rejects.n;
    *ret_v = part_decode(rd->in, &d->company, r, d->arena, ret_n, &rd->rejects);
    if (rd->rejects.n == rejects_before && in_order(*ret_v, *ret_n, r->size, order))
        return part_pass(d->part, r, rd->in, &d->company, rd->err);
    sort_records(*ret_v, *ret_n, r->size, order);
    for (uint32_t i = 0; i < *ret_n; i++)
        if (!part_put(d->part, r, (char *)*ret_v + r->size * i, rd->err))
            return false;
    return true;
}

#define READ(field, rec, ...) (d->field.v = read_array(rd, &rec##_record, ORDER(__VA_ARGS__), &d->field.n))
#define PASS(field, rec, ...) \
    (pass_array(rd, &rec##_record, ORDER(__VA_ARGS__), &v, &d->field.n) && (d->field.v = v, true))

/* Employees go through unchanged; what is kept of them are the persons. */
static bool read_persons(struct reading *rd)
{
    struct dataset *d = rd->d;
    struct scan s;
    struct employee e;
    uint32_t rejects_before = rd->rejects.n;
    bool sorted = true;
    scan_begin(&s, rd->in, &d->company, &employee_record, d->arena, &rd->rejects);
    d->persons.v = arena_raw(d->arena, (size_t)s.rows * sizeof *d->persons.v);
    while (scan_next(&s, &e)) {
        uint32_t n = d->persons.n++;
        struct person *p = &d->persons.v[n];
        *p = (struct person){.at = scan_keep(&s, &e), .employee_id = e.employee_id, .member = NONE,
                             .birth_date = e.birth_date, .has_ntt = e.ntt.p};
        p->nir_status = (uint8_t)nir_parse(e.nir, &p->nir13);
        sorted = sorted && (!n || str_cmp(p[-1].employee_id, e.employee_id) <= 0);
    }
    d->employee_lines = s.lines;
    if (!sorted)
        sort_kept(&s.lines, d->persons.v, d->persons.n, sizeof *d->persons.v, ORDER(BY(employee, employee_id)), d->arena);
    index_many(d, &d->employee_by_id, d->persons.v, d->persons.n, sizeof *d->persons.v, offsetof(struct person, employee_id));
    return pass_kept(rd, &s.lines, d->persons.v, d->persons.n, sizeof *d->persons.v,
                     sorted && rd->rejects.n == rejects_before);
}

static bool read_employments(struct reading *rd)
{
    struct dataset *d = rd->d;
    struct scan s;
    struct employment e, before;
    const struct order_key *by_id = ORDER(BY(employment, employment_id));
    const struct order_key *by_employee =
        ORDER(BY(employment, employee_id), BY(employment, starts_on), BY(employment, employment_id));
    struct naming naming = {.d = d};
    uint32_t rejects_before = rd->rejects.n, near = 0, *n = &d->employments.n;
    bool sorted = true, together = true;
    scan_begin(&s, rd->in, &d->company, &employment_record, d->arena, &rd->rejects);
    struct employed *v = d->employments.v = arena_raw(d->arena, (size_t)s.rows * sizeof *v);
    for (; scan_next(&s, &e); before = e, ++*n) {
        sorted = sorted && (!*n || compare_records(&before, &e, by_id) <= 0);
        together = together && (!*n || compare_records(&before, &e, by_employee) <= 0);
        v[*n] = (struct employed){
            .at = scan_keep(&s, &e), .employment_id = e.employment_id, .starts_on = e.starts_on, .ends_on = e.ends_on,
            .category = e.category, .exempt = e.exempt, .health_assigned = e.health_contract_ids.n > 0,
            .named = assignments_named(&naming, &s, &e),
            .person = (int32_t)lookup_find_near(&d->employee_by_id, e.employee_id, d->persons.n, &near)};
    }
    if (!sorted)
        sort_kept(&s.lines, v, *n, sizeof *v, by_id, d->arena);
    if (!pass_kept(rd, &s.lines, v, *n, sizeof *v, sorted && rd->rejects.n == rejects_before))
        return false;
    if (!sorted || !together)
        sort_kept(&s.lines, v, *n, sizeof *v, by_employee, d->arena);
    index_many(d, &d->employment_by_id, v, *n, sizeof *v, offsetof(struct employed, employment_id));
    return true;
}

static bool read_pay_bases(struct reading *rd)
{
    const struct order_key *order = ORDER(BY(pay_base, employment_id), BY(pay_base, month));
    struct dataset *d = rd->d;
    struct scan s;
    struct pay_base base, before;
    uint32_t rejects_before = rd->rejects.n, *n = &d->pay_bases.n;
    bool sorted = true;
    scan_begin(&s, rd->in, &d->company, &pay_base_record, d->arena, &rd->rejects);
    struct based *v = d->pay_bases.v = arena_raw(d->arena, (size_t)s.rows * sizeof *v);
    for (; scan_next(&s, &base); before = base, ++*n) {
        sorted = sorted && (!*n || compare_records(&before, &base, order) <= 0);
        v[*n].at = scan_keep(&s, &base);
    }
    d->pay_base_lines = s.lines;
    if (!sorted)
        sort_kept(&s.lines, v, *n, sizeof *v, order, d->arena);
    return pass_kept(rd, &s.lines, v, *n, sizeof *v, sorted && rd->rejects.n == rejects_before);
}

static bool read_entities(struct reading *rd)
{
    struct dataset *d = rd->d;
    void *v;
    bool passed = PASS(contracts, contract, BY(contract, contract_id)) && PASS(invoices, invoice, BY(invoice, invoice_id)) &&
                  read_affiliations(rd) && read_persons(rd) &&
                  read_employments(rd) &&
                  read_payroll_contracts(rd) &&
                  read_pay_bases(rd) &&
                  PASS(payroll_periods, payroll_period, BY(payroll_period, month));
    if (!passed)
        return false;
    read_lines(rd);
    READ(links, link, BY(link, member_id));
    READ(dispenses, dispense, BY(dispense, employee_id), BY(dispense, valid_from));
    READ(closed_periods, closed_period, BY(closed_period, payroll_month));
    READ(posted, posted, BY(posted, line_id), BY(posted, employment_id), BY(posted, cover_from));
    return true;
}

void index_many(const struct dataset *d, struct lookup *l, const void *v, uint32_t n, size_t stride, size_t key)
{
    lookup_reserve(l, d->arena, v, n, stride, key);
    for (uint32_t i = 0; i < n; i++) {
        lookup_add(l, i);
        dataset_forget(d, i);
    }
}

static void index_entities(struct dataset *d)
{
    struct arena *a = d->arena;
    LOOKUP_BUILD(&d->payroll_contract_by_id, a, d->payroll_contracts.v, d->payroll_contracts.n, assignable,
                 payroll_contract_id);
    LOOKUP_BUILD(&d->dispense_by_employee, a, d->dispenses.v, d->dispenses.n, dispense, employee_id);
}

/* ---- people of payroll ---- */

static void build_employments(struct dataset *d)
{
    date_t first = d->rules->period_days.first, last = d->rules->period_days.last;
    for (uint32_t i = 0; i < d->employments.n; i++) {
        const struct employed *e = &d->employments.v[i];
        if (e->person == NONE)
            continue;
        struct person *p = &d->persons.v[e->person];
        if (p->n_employments++ == 0)
            p->first_employment = i;
        p->active |= overlaps(e->starts_on, e->ends_on, first, last);
    }
}

bool dataset_read(struct dataset *d, const struct rules *rules, const struct part_in *in, const struct company *company,
                  struct arena *arena, struct part *out, struct err *err)
{
    *d = (struct dataset){.rules = rules, .arena = arena, .in = in, .part = out, .company = *company};
    struct reading rd = {.d = d, .in = in, .err = err};
    if (!read_entities(&rd))
        return false;
    for (uint32_t i = 0; i < rd.rejects.n; i++)
        part_reject(out, list_at(rd.rejects, sizeof(struct reject), i));
    index_entities(d);
    build_employments(d);
    mark_assigned(d);
    settle_lines(d);
    return true;
}

void dataset_read_employee(const struct dataset *d, const struct person *p, struct employee *ret)
{
    lines_read(&d->employee_lines, p->at, d->arena, ret);
}

void dataset_read_affiliation(const struct dataset *d, const struct affiliated *a, struct affiliation *ret)
{
    lines_read(&d->affiliation_lines, a->at, d->arena, ret);
}

void dataset_read_line(const struct dataset *d, const struct line_state *state, struct invoice_line *ret)
{
    lines_read(&d->invoice_lines, state->at, d->arena, ret);
}

void dataset_forget(const struct dataset *d, uint32_t i)
{
    enum { FORGET_ROWS = 2048 };
    if (i && i % FORGET_ROWS == 0)
        part_forget(d->in, NULL);
}

bool dataset_closed(const struct dataset *d, month_t payroll_month)
{
    for (uint32_t i = 0; i < d->closed_periods.n; i++)
        if (d->closed_periods.v[i].payroll_month == payroll_month)
            return true;
    return false;
}

bool dataset_billing_counts(const struct dataset *d, month_t billing_month)
{
    month_t payroll_month = billing_month + (month_t)d->rules->config->invoice_month_shift;
    return payroll_month == d->rules->period ||
           (payroll_month < d->rules->period && dataset_closed(d, payroll_month));
}

int64_t dataset_line(const struct dataset *d, struct str line_id)
{
    uint32_t low = 0, high = d->lines.n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        struct invoice_line line;
        dataset_read_line(d, &d->lines.v[middle], &line);
        int way = str_cmp(line.line_id, line_id);
        if (way == 0)
            return middle;
        if (way < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NONE;
}

uint32_t dataset_posted_from(const struct dataset *d, struct str line_id)
{
    uint32_t low = 0, high = d->posted.n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_cmp(d->posted.v[middle].line_id, line_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool dataset_pay_base(const struct dataset *d, struct str employment_id, month_t month, struct pay_base *ret)
{
    uint32_t low = 0, high = d->pay_bases.n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        struct pay_base base;
        lines_read(&d->pay_base_lines, d->pay_bases.v[middle].at, d->arena, &base);
        int way = str_cmp(base.employment_id, employment_id);
        if (way == 0)
            way = (base.month > month) - (base.month < month);
        if (way == 0) {
            *ret = base;
            return true;
        }
        if (way < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
