#include "transform/company.h"

#include "transform/check.h"
#include "transform/coverage.h"
#include "transform/identity.h"
#include "transform/watch.h"

static bool write_lines(struct dataset *d, struct findings *f, struct posting *posting, struct err *err)
{
    struct portions portions = {0};
    struct watch watch;
    watch_init(&watch, d);
    allocate_mark_lines(d);
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct line line = {.state = &d->lines.v[i]};
        dataset_read_line(d, line.state, &line.record);
        watch_line(&watch, &line);
        dataset_forget(d, i);
        if (!dataset_billing_counts(d, d->invoices.v[line.state->invoice].billing_month))
            continue;
        if (!allocate_line(d, f, &line, &portions, err) || !check_line(d, f, &line, &portions, err) ||
            !post_line(posting, &line, &portions))
            return false;
        watch_portions(&watch, &line, &portions);
    }
    watch_month(&watch, f);
    return post_vanished_lines(posting) && post_check(posting);
}

static bool write_members(struct dataset *d, struct err *err)
{
    for (uint32_t i = 0; i < d->members.n; i++) {
        const struct insured *m = &d->members.v[i];
        const struct member record = {
            .company_id = d->company.company_id, .member_id = m->member_id, .nir = m->nir, .first_name = m->first_name,
            .last_name = m->last_name, .birth_date = m->birth_date, .matched_by = m->matched_by,
            .employee_id = m->person == NONE ? STR_NULL : d->persons.v[m->person].employee_id};
        if (!part_put(d->part, &member_record, &record, err))
            return false;
        dataset_forget(d, i);
    }
    return true;
}

static bool transform_records(struct dataset *d, int64_t found[severity_count], struct err *err)
{
    struct findings f;
    struct posting posting;
    findings_init(&f, d);
    post_init(&posting, d, &f, err);
    identity_match(d, &f);
    identity_check_numbers(d, &f);
    check_contracts(d, &f);
    check_sources(d, &f);
    check_feed(d, &f);
    return write_lines(d, &f, &posting, err) && write_members(d, err) &&
           coverage_write(d, &f, !posting.closed, err) &&
           check_invoices(d, &f, &posting, err) && findings_write(&f, found, err);
}

bool company_transform(const struct rules *rules, const struct part_in *in, struct company *company, struct arena *arena,
                       struct part *out, int64_t found[severity_count], struct err *err)
{
    if (company->status == COMPANY_OK) {
        struct dataset d;
        if (!dataset_read(&d, rules, in, company, arena, out, err) || !transform_records(&d, found, err))
            return err_prefix(err, "company %.*s", (int)company->company_id.len, company->company_id.p);
    }
    return part_end_company(out, company, err);
}
