#include "transform/dataset.h"

#include <stdlib.h>

#include "transform/split.h"

/* ---- reading in a known order ---- */

/* One field that an order goes by. */
struct order_key {
    size_t offset;
    enum { ORDER_END, ORDER_TEXT, ORDER_DAY } type;
};
#define ORDER_TYPE(rec, field) _Generic((struct rec){.company_id = STR_NULL}.field, struct str: ORDER_TEXT, date_t: ORDER_DAY)
#define BY(rec, field) {offsetof(struct rec, field), ORDER_TYPE(rec, field)}
#define ORDER(...) ((const struct order_key[]){__VA_ARGS__, {0, ORDER_END}})

static int compare_records(const void *a, const void *b, const struct order_key *key)
{
    for (; key->type != ORDER_END; key++) {
        const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
        int way = 0;
        if (key->type == ORDER_TEXT) {
            way = str_cmp(*(const struct str *)(const void *)x, *(const struct str *)(const void *)y);
        } else {
            int32_t left = *(const int32_t *)(const void *)x, right = *(const int32_t *)(const void *)y;
            way = (left > right) - (left < right);
        }
        if (way)
            return way;
    }
    return 0;
}

static int compare_by(const void *a, const void *b, void *order)
{
    return compare_records(a, b, *(const struct order_key *const *)order);
}

static bool in_order(const void *v, uint32_t n, size_t size, const struct order_key *order)
{
    for (uint32_t i = 1; i < n; i++)
        if (compare_records((const char *)v + size * (i - 1), (const char *)v + size * i, order) > 0)
            return false;
    return true;
}

static void sort_records(void *v, uint32_t n, size_t size, const struct order_key *order)
{
    if (!in_order(v, n, size, order))
        qsort_r(v, n, size, compare_by, &order);
}

struct reading {
    struct dataset *d;
    const struct part_in *in;
    struct list rejects;
    struct err *err;
};

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
    qsort_r(*ret_v, *ret_n, r->size, compare_by, &order);
    for (uint32_t i = 0; i < *ret_n; i++)
        if (!part_put(d->part, r, (char *)*ret_v + r->size * i, rd->err))
            return false;
    return true;
}

#define READ(field, rec, ...) (d->field.v = read_array(rd, &rec##_record, ORDER(__VA_ARGS__), &d->field.n))
#define PASS(field, rec, ...) \
    (pass_array(rd, &rec##_record, ORDER(__VA_ARGS__), &v, &d->field.n) && (d->field.v = v, true))
#define SORT(field, ...) sort_records(d->field.v, d->field.n, sizeof *d->field.v, ORDER(__VA_ARGS__))

static bool read_entities(struct reading *rd)
{
    struct dataset *d = rd->d;
    void *v;
    bool passed = PASS(contracts, contract, BY(contract, contract_id)) && PASS(invoices, invoice, BY(invoice, invoice_id)) &&
                  PASS(affiliations, affiliation, BY(affiliation, affiliation_id)) &&
                  PASS(employees, employee, BY(employee, employee_id)) &&
                  PASS(employments, employment, BY(employment, employment_id)) &&
                  PASS(payroll_contracts, payroll_contract, BY(payroll_contract, payroll_contract_id)) &&
                  PASS(pay_bases, pay_base, BY(pay_base, employment_id), BY(pay_base, month)) &&
                  PASS(payroll_periods, payroll_period, BY(payroll_period, month));
    if (!passed)
        return false;
    READ(lines, invoice_line, BY(invoice_line, line_id));
    READ(links, link, BY(link, member_id));
    READ(dispenses, dispense, BY(dispense, employee_id), BY(dispense, valid_from));
    READ(closed_periods, closed_period, BY(closed_period, payroll_month));
    READ(posted, posted, BY(posted, line_id), BY(posted, employment_id), BY(posted, cover_from));
    SORT(affiliations, BY(affiliation, member_id), BY(affiliation, affiliation_id));
    SORT(employments, BY(employment, employee_id), BY(employment, starts_on), BY(employment, employment_id));
    return true;
}

static void index_entities(struct dataset *d)
{
    struct arena *a = d->arena;
    LOOKUP_BUILD(&d->contract_by_id, a, d->contracts.v, d->contracts.n, contract, contract_id);
    LOOKUP_BUILD(&d->invoice_by_id, a, d->invoices.v, d->invoices.n, invoice, invoice_id);
    LOOKUP_BUILD(&d->employee_by_id, a, d->employees.v, d->employees.n, employee, employee_id);
    LOOKUP_BUILD(&d->employment_by_id, a, d->employments.v, d->employments.n, employment, employment_id);
    LOOKUP_BUILD(&d->payroll_contract_by_id, a, d->payroll_contracts.v, d->payroll_contracts.n, payroll_contract,
                 payroll_contract_id);
    LOOKUP_BUILD(&d->dispense_by_employee, a, d->dispenses.v, d->dispenses.n, dispense, employee_id);
}

/* ---- people of payroll ---- */

static void build_persons(struct dataset *d)
{
    date_t first = d->rules->period_days.first, last = d->rules->period_days.last;
    d->persons = arena_alloc(d->arena, d->employees.n * sizeof *d->persons);
    d->person_of_employment = arena_alloc(d->arena, d->employments.n * sizeof *d->person_of_employment);
    for (uint32_t i = 0; i < d->employees.n; i++) {
        struct person *p = &d->persons[i];
        p->record = &d->employees.v[i];
        p->nir_status = nir_parse(p->record->nir, &p->nir13);
        p->member = NONE;
    }
    uint32_t near = 0;
    for (uint32_t i = 0; i < d->employments.n; i++) {
        const struct employment *e = &d->employments.v[i];
        int32_t person = (int32_t)lookup_find_near(&d->employee_by_id, e->employee_id, d->employees.n, &near);
        d->person_of_employment[i] = person;
        if (person == NONE)
            continue;
        struct person *p = &d->persons[person];
        if (p->n_employments++ == 0)
            p->first_employment = i;
        p->active |= overlaps(e->starts_on, e->ends_on, first, last);
    }
}

/* Payroll tells who has which contract on either side: at the employment, or in the contract's own list. */
static void build_assignments(struct dataset *d)
{
    d->health_assigned = arena_alloc(d->arena, d->employments.n * sizeof *d->health_assigned);
    d->assignments_known = d->payroll_contracts.n > 0;
    for (uint32_t i = 0; i < d->employments.n; i++) {
        d->health_assigned[i] = d->employments.v[i].health_contract_ids.n > 0;
        d->assignments_known |= d->health_assigned[i];
    }
    for (uint32_t i = 0; i < d->payroll_contracts.n; i++) {
        const struct payroll_contract *c = &d->payroll_contracts.v[i];
        for (uint32_t k = 0; c->product == PRODUCT_HEALTH && k < c->employment_ids.n; k++) {
            int64_t at = lookup_find(&d->employment_by_id, *(struct str *)list_at(c->employment_ids, sizeof(struct str), k));
            if (at != LOOKUP_NONE)
                d->health_assigned[at] = true;
        }
    }
}

/* ---- people at Alan ---- */

static int compare_texts(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Distinct member ids of lines that no affiliation has, in order. */
static struct str *members_without_affiliation(const struct dataset *d, const struct lookup *affiliated, uint32_t *ret_n)
{
    struct list list = {0};
    uint32_t cap = 0, near = 0, distinct = 0;
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct str id = d->lines.v[i].member_id;
        if (id.p && lookup_find_near(affiliated, id, d->affiliations.n, &near) == LOOKUP_NONE)
            *(struct str *)list_grow(&list, &cap, sizeof id, d->arena) = id;
    }
    struct str *ids = list.v;
    uint32_t n = list.n;
    if (!n) {
        *ret_n = 0;
        return NULL;
    }
    qsort(ids, n, sizeof *ids, compare_texts);
    for (uint32_t i = 0; i < n; i++)
        if (distinct == 0 || !str_eq(ids[i], ids[distinct - 1]))
            ids[distinct++] = ids[i];
    *ret_n = distinct;
    return ids;
}

static void member_init(struct insured *m, const struct dataset *d, struct str member_id)
{
    m->record = (struct member){.company_id = d->company.company_id, .member_id = member_id, .birth_date = DATE_NONE,
                                .matched_by = MATCHED_NONE};
    m->nir_status = NIR_ABSENT;
    m->person = m->also = NONE;
}

static void add_other_number(struct dataset *d, const struct insured *m, uint64_t nir13)
{
    uint32_t n = d->other_numbers.n;
    if ((n & (n - 1)) == 0) {  /* full: 0 or a power of two */
        struct other_number *v = arena_alloc(d->arena, (n ? n * 2 : 1) * sizeof *v);
        if (n)
            memcpy(v, d->other_numbers.v, n * sizeof *v);
        d->other_numbers.v = v;
    }
    d->other_numbers.v[d->other_numbers.n++] = (struct other_number){nir13, (int32_t)(m - d->members.v)};
}

/* Takes over what is not known yet; a second, other number is remembered as a contradiction. An NTT, or what is no number
 * at all, is none and gives way to a number: an NTT stood in for it on what was billed before. */
static void member_learn(struct dataset *d, struct insured *m, struct str nir, struct str first_name, struct str last_name,
                         struct str birth_name, date_t birth_date)
{
    if (nir.p && !str_eq(nir, m->record.nir)) {
        uint64_t nir13;
        enum nir_status status = nir_parse(nir, &nir13);
        if (status != NIR_ABSENT && (m->nir_status == NIR_ABSENT || (nir13 && !m->nir13))) {
            m->record.nir = nir;
            m->nir_status = status;
            m->nir13 = nir13;
        } else if (nir13 && m->nir13 && nir13 != m->nir13) {
            m->numbers_differ = true;
            add_other_number(d, m, nir13);
        }
    }
    if (!m->record.last_name.p) {
        m->record.last_name = last_name;
        m->record.first_name = first_name;
    }
    if (!m->birth_name.p)
        m->birth_name = birth_name;
    if (m->record.birth_date == DATE_NONE)
        m->record.birth_date = birth_date;
}

static void build_contracts_of_affiliations(struct dataset *d)
{
    uint32_t near = 0;
    d->contract_of_affiliation = arena_alloc(d->arena, d->affiliations.n * sizeof *d->contract_of_affiliation);
    for (uint32_t i = 0; i < d->affiliations.n; i++)
        d->contract_of_affiliation[i] = (int32_t)lookup_find_near(&d->contract_by_id, d->affiliations.v[i].contract_id,
                                                                  d->contracts.n, &near);
}

/* Members in order of member_id: those with affiliations (sorted by member) merged with those only billed. */
static void build_members(struct dataset *d)
{
    struct lookup affiliated;
    LOOKUP_BUILD(&affiliated, d->arena, d->affiliations.v, d->affiliations.n, affiliation, member_id);
    uint32_t n_billed, n_affiliated = 0, at = 0, billed = 0;
    struct str *ids = members_without_affiliation(d, &affiliated, &n_billed);
    for (uint32_t i = 0; i < d->affiliations.n; i++)
        n_affiliated += i == 0 || !str_eq(d->affiliations.v[i].member_id, d->affiliations.v[i - 1].member_id);
    d->members.n = n_affiliated + n_billed;
    d->members.v = arena_alloc(d->arena, d->members.n * sizeof *d->members.v);
    for (uint32_t i = 0; i < d->members.n; i++) {
        struct insured *m = &d->members.v[i];
        bool take_billed = at == d->affiliations.n ||
                           (billed < n_billed && str_cmp(ids[billed], d->affiliations.v[at].member_id) < 0);
        member_init(m, d, take_billed ? ids[billed++] : d->affiliations.v[at].member_id);
        m->first_affiliation = at;
        for (; at < d->affiliations.n && str_eq(d->affiliations.v[at].member_id, m->record.member_id); at++) {
            const struct affiliation *f = &d->affiliations.v[at];
            member_learn(d, m, f->nir, f->first_name, f->last_name, f->birth_name, f->birth_date);
            m->n_affiliations++;
        }
    }
    lookup_build(&d->member_by_id, d->arena, d->members.v, d->members.n, sizeof(struct insured),
                 offsetof(struct insured, record) + offsetof(struct member, member_id));
}

/* ---- lines ---- */

static void reject_line(struct dataset *d, const struct invoice_line *line, enum reject_reason reason, struct str fault)
{
    struct buf raw = {0};
    ndjson_encode(&invoice_line_record, line, &raw);
    struct reject reject = {.stage = STAGE_TRANSFORM, .entity = STR("invoice_lines"), .company_id = d->company.company_id,
                            .reason = (uint8_t)reason, .faults = {&fault, 1}, .source = STR("invoice_lines"),
                            .line = INT_NONE, .raw = {arena_copy(d->arena, raw.p, raw.len - 1), (uint32_t)raw.len - 1, false}};
    part_reject(d->part, &reject);
    buf_free(&raw);
}

/* A line of an invoice that was not delivered, or whose period makes no sense, has no place in any month. */
static bool line_usable(struct dataset *d, const struct invoice_line *line, int32_t invoice)
{
    if (invoice == NONE) {
        reject_line(d, line, REJECT_UNKNOWN_VALUE,
                    str_of(arena_printf(d->arena, "invoice_id: invoice %.*s is not among the company's invoices",
                                        (int)line->invoice_id.len, line->invoice_id.p)));
        return false;
    }
    enum { FEW_DAYS = 28 * (SLICES_MAX - 2) }; /* cannot be too many months */
    if (line->cover_to >= line->cover_from && line->cover_to - line->cover_from <= FEW_DAYS)
        return true;
    if (line->cover_to < line->cover_from || month_of(line->cover_to) - month_of(line->cover_from) >= SLICES_MAX) {
        reject_line(d, line, REJECT_OUT_OF_RANGE,
                    str_of(arena_printf(d->arena, "cover_to: expected a date from cover_from to %d months later",
                                        SLICES_MAX - 1)));
        return false;
    }
    return true;
}

static void build_lines(struct dataset *d)
{
    uint32_t kept = 0, near_invoice = 0, near_member = 0, near_contract = 0;
    d->line_states = arena_alloc(d->arena, d->lines.n * sizeof *d->line_states);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct invoice_line *line = &d->lines.v[i];
        int32_t invoice = (int32_t)lookup_find_near(&d->invoice_by_id, line->invoice_id, d->invoices.n, &near_invoice);
        if (!line_usable(d, line, invoice))
            continue;
        int32_t member = (int32_t)lookup_find_near(&d->member_by_id, line->member_id, d->members.n, &near_member);
        if (member != NONE)
            member_learn(d, &d->members.v[member], line->nir, line->first_name, line->last_name, STR_NULL,
                         line->birth_date);
        d->line_states[kept] = (struct line_state){
            .invoice = invoice, .member = member,
            .contract = (int32_t)lookup_find_near(&d->contract_by_id, line->contract_id, d->contracts.n, &near_contract)};
        if (member != NONE && dataset_billing_counts(d, d->invoices.v[invoice].billing_month))
            d->members.v[member].billed = true;
        if (kept != i)
            d->lines.v[kept] = *line;
        kept++;
    }
    d->lines.n = kept;
}

bool dataset_read(struct dataset *d, const struct rules *rules, const struct part_in *in, const struct company *company,
                  struct arena *arena, struct part *out, struct err *err)
{
    *d = (struct dataset){.rules = rules, .arena = arena, .part = out, .company = *company};
    struct reading rd = {.d = d, .in = in, .err = err};
    if (!read_entities(&rd))
        return false;
    for (uint32_t i = 0; i < rd.rejects.n; i++)
        part_reject(out, list_at(rd.rejects, sizeof(struct reject), i));
    index_entities(d);
    build_persons(d);
    build_assignments(d);
    build_contracts_of_affiliations(d);
    build_members(d);
    build_lines(d);
    return true;
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
        int way = str_cmp(d->lines.v[middle].line_id, line_id);
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

const struct pay_base *dataset_pay_base(const struct dataset *d, struct str employment_id, month_t month)
{
    uint32_t low = 0, high = d->pay_bases.n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct pay_base *base = &d->pay_bases.v[middle];
        int way = str_cmp(base->employment_id, employment_id);
        if (way == 0)
            way = (base->month > month) - (base->month < month);
        if (way == 0)
            return base;
        if (way < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
