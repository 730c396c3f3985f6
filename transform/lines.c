/* Invoice lines: what is kept of each, and what they tell of their members. */
#include <stdlib.h>

#include "transform/reading.h"
#include "transform/split.h"

/* ---- lines of no use ---- */

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

static bool period_makes_sense(const struct invoice_line *line)
{
    enum { FEW_DAYS = 28 * (SLICES_MAX - 2) }; /* cannot be too many months */
    if (line->cover_to >= line->cover_from && line->cover_to - line->cover_from <= FEW_DAYS)
        return true;
    return line->cover_to >= line->cover_from && month_of(line->cover_to) - month_of(line->cover_from) < SLICES_MAX;
}

/* A line of an invoice that was not delivered, or whose period makes no sense, has no place in any month. */
static bool line_usable(struct dataset *d, const struct invoice_line *line, int32_t invoice)
{
    if (invoice == NONE)
        reject_line(d, line, REJECT_UNKNOWN_VALUE,
                    str_of(arena_printf(d->arena, "invoice_id: invoice %.*s is not among the company's invoices",
                                        (int)line->invoice_id.len, line->invoice_id.p)));
    else if (!period_makes_sense(line))
        reject_line(d, line, REJECT_OUT_OF_RANGE,
                    str_of(arena_printf(d->arena, "cover_to: expected a date from cover_from to %d months later",
                                        SLICES_MAX - 1)));
    else
        return true;
    return false;
}

/* ---- reading ---- */

/* Places found last, near which the next ones are looked for. */
struct near {
    uint32_t invoice, contract, member;
};

/* Recurring lines of members; two children without an id of their own are no duplicate. */
static bool comparable(const struct invoice_line *line)
{
    return line->kind == LINE_RECURRING && line->member_id.p &&
           !(line->member_type == MEMBER_CHILD && !line->beneficiary_id.p);
}

static uint32_t charge_of(const struct invoice_line *line)
{
    uint32_t h = (uint32_t)line->amount_cents ^ (uint32_t)line->cover_from << 7 ^ (uint32_t)line->member_type << 20;
    return hash_more(h, line->beneficiary_id);
}

/* Whether member_learn would learn from it. */
static bool tells_more(const struct dataset *d, const struct invoice_line *line, int32_t member)
{
    if (member == NONE)
        return line->member_id.p;
    const struct insured *m = &d->members.v[member];
    return (line->nir.p && !str_eq(line->nir, m->nir)) || !m->last_name.p ||
           (m->birth_date == DATE_NONE && line->birth_date != DATE_NONE);
}

static struct line_state line_state(const struct dataset *d, const struct invoice_line *line, uint32_t at,
                                    struct near *near)
{
    int32_t invoice = (int32_t)lookup_find_near(&d->invoice_by_id, line->invoice_id, d->invoices.n, &near->invoice);
    int32_t member = (int32_t)lookup_find_near(&d->member_by_id, line->member_id, d->members.n, &near->member);
    return (struct line_state){
        .at = at,
        .invoice = invoice,
        .member = member,
        .contract = (int32_t)lookup_find_near(&d->contract_by_id, line->contract_id, d->contracts.n, &near->contract),
        .charge = charge_of(line),
        .comparable = comparable(line),
        .adjusts = line->adjusts_line_id.p,
        .unsettled = invoice == NONE || !period_makes_sense(line) || tells_more(d, line, member),
    };
}

void read_lines(struct reading *rd)
{
    struct dataset *d = rd->d;
    struct scan s;
    struct invoice_line line;
    struct near near = {0};
    struct str before = STR_NULL;
    bool sorted = true;
    LOOKUP_BUILD(&d->invoice_by_id, d->arena, d->invoices.v, d->invoices.n, invoice, invoice_id);
    scan_begin(&s, rd->in, &d->company, &invoice_line_record, d->arena, &rd->rejects);
    d->lines.v = arena_raw(d->arena, (size_t)s.rows * sizeof *d->lines.v);
    while (scan_next(&s, &line)) {
        d->lines.v[d->lines.n++] = line_state(d, &line, scan_keep(&s, &line), &near);
        sorted = sorted && str_cmp(before, line.line_id) <= 0;
        before = line.line_id;
    }
    d->invoice_lines = s.lines;
    if (!sorted)
        sort_kept(&s.lines, d->lines.v, d->lines.n, sizeof *d->lines.v, ORDER(BY(invoice_line, line_id)), d->arena);
}

/* ---- settling ---- */

static int compare_texts(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Members whom no affiliation names: distinct ids, in order; the caller frees them. */
static struct str *strangers(const struct dataset *d, uint32_t *ret_n)
{
    uint32_t most = 0, n = 0, distinct = 0;
    for (uint32_t i = 0; i < d->lines.n; i++)
        most += d->lines.v[i].unsettled && d->lines.v[i].member == NONE;
    struct str *ids = mem_take(most * sizeof *ids);
    for (uint32_t i = 0; n < most && i < d->lines.n; i++) {
        struct invoice_line line;
        if (!d->lines.v[i].unsettled || d->lines.v[i].member != NONE)
            continue;
        dataset_read_line(d, &d->lines.v[i], &line);
        if (line.member_id.p)
            ids[n++] = line.member_id;
        else
            most--;
    }
    qsort(ids, n, sizeof *ids, compare_texts);
    for (uint32_t i = 0; i < n; i++)
        if (distinct == 0 || !str_eq(ids[i], ids[distinct - 1]))
            ids[distinct++] = ids[i];
    *ret_n = distinct;
    return ids;
}

/* False for a line that is of no use. */
static bool settle(struct dataset *d, struct line_state *x)
{
    struct invoice_line line;
    dataset_read_line(d, x, &line);
    if (!line_usable(d, &line, x->invoice))
        return false;
    x->member = (int32_t)lookup_find(&d->member_by_id, line.member_id);
    if (x->member != NONE)
        member_learn(d, &d->members.v[x->member], line.nir, line.first_name, line.last_name, STR_NULL, line.birth_date);
    x->unsettled = false;
    return true;
}

void settle_lines(struct dataset *d)
{
    uint32_t n, kept = 0;
    struct str *ids = strangers(d, &n);
    if (n)
        add_strangers(d, ids, n);
    free(ids);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct line_state *x = &d->lines.v[i];
        dataset_forget(d, i);
        if (x->unsettled && !settle(d, x))
            continue;
        if (x->member != NONE && dataset_billing_counts(d, d->invoices.v[x->invoice].billing_month))
            d->members.v[x->member].billed = true;
        if (kept != i)
            d->lines.v[kept] = *x;
        kept++;
    }
    d->lines.n = kept;
}
