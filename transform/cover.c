#include "transform/cover.h"

static bool spans(date_t from, date_t until, date_t first, date_t last)
{
    return (from == DATE_NONE || from <= first) && (until == DATE_NONE || until >= last);
}

static const struct dispense *first_dispense(const struct dataset *d, struct str employee_id, const struct dispense **ret_end)
{
    int64_t at = lookup_find(&d->dispense_by_employee, employee_id);
    *ret_end = d->dispenses.v + d->dispenses.n;
    return at == LOOKUP_NONE ? *ret_end : d->dispenses.v + at;
}

/* When an affiliation says that its member is exempt. */
static struct exemption stated_at_alan(const struct dataset *d, const struct affiliated *kept)
{
    struct affiliation a;
    dataset_read_affiliation(d, kept, &a);
    return (struct exemption){a.exemption_ground, a.exemption_proof,
                              a.exemption_from != DATE_NONE ? a.exemption_from : a.starts_on,
                              a.exemption_to != DATE_NONE ? a.exemption_to : a.ends_on};
}

static const struct person *person_of(const struct dataset *d, int32_t employment)
{
    return &d->persons.v[d->employments.v[employment].person];
}

/* The exemption in force on a day: recorded here, or at Alan. */
static bool exemption_on(const struct dataset *d, const struct person *p, date_t on, struct exemption *ret)
{
    const struct dispense *end, *x = first_dispense(d, p->employee_id, &end);
    for (; x < end && str_eq(x->employee_id, p->employee_id); x++)
        if (spans(x->valid_from, x->valid_to, on, on)) {
            *ret = (struct exemption){x->ground, x->proof, x->valid_from, x->valid_to};
            return true;
        }
    for (int32_t member = p->member; member != NONE; member = d->members.v[member].also) {
        const struct affiliated *a = d->affiliations.v + d->members.v[member].first_affiliation;
        for (const struct affiliated *last = a + d->members.v[member].n_affiliations; a < last; a++) {
            if (a->status != AFFILIATION_EXEMPT)
                continue;
            *ret = stated_at_alan(d, a);
            if (spans(ret->from, ret->until, on, on))
                return true;
        }
    }
    return false;
}

bool cover_exempt(const struct dataset *d, int32_t employment, date_t from, date_t to, struct exemption *ret)
{
    /* One that follows another at once continues it: the last one is the one told. */
    struct exemption x;
    for (date_t on = from; exemption_on(d, person_of(d, employment), on, &x); on = x.until + 1)
        if (x.until == DATE_NONE || x.until >= to) {
            *ret = x;
            return true;
        }
    if (d->employments.v[employment].exempt == 1) {
        *ret = (struct exemption){STR_NULL, STR_NULL, DATE_NONE, DATE_NONE};
        return true;
    }
    return false;
}

static void keep_later(struct exemption *best, const struct exemption *x, date_t on)
{
    if (x->until != DATE_NONE && x->until < on && (best->until == DATE_NONE || x->until > best->until))
        *best = *x;
}

bool cover_exemption_ended(const struct dataset *d, int32_t employment, date_t on, struct exemption *ret)
{
    const struct person *p = person_of(d, employment);
    struct exemption best = {STR_NULL, STR_NULL, DATE_NONE, DATE_NONE};
    const struct dispense *end, *x = first_dispense(d, p->employee_id, &end);
    for (; x < end && str_eq(x->employee_id, p->employee_id); x++)
        keep_later(&best, &(struct exemption){x->ground, x->proof, x->valid_from, x->valid_to}, on);
    for (int32_t member = p->member; member != NONE; member = d->members.v[member].also) {
        const struct affiliated *a = d->affiliations.v + d->members.v[member].first_affiliation;
        for (const struct affiliated *last = a + d->members.v[member].n_affiliations; a < last; a++) {
            if (a->status != AFFILIATION_EXEMPT)
                continue;
            struct exemption stated = stated_at_alan(d, a);
            keep_later(&best, &stated, on);
        }
    }
    if (best.until == DATE_NONE)
        return false;
    *ret = best;
    return true;
}

static int rank(enum affiliation_status status)
{
    switch (status) {
    case AFFILIATION_ACTIVE:
    case AFFILIATION_SUSPENDED: return 5;
    case AFFILIATION_PENDING: return 4;
    case AFFILIATION_PORTABILITY: return 3;
    case AFFILIATION_EXEMPT: return 2;
    default: return 1;
    }
}

const struct affiliated *cover_affiliation(const struct dataset *d, int32_t member, enum product product, int32_t contract,
                                           date_t from, date_t to)
{
    const struct affiliated *best = NULL;
    const struct insured *m = &d->members.v[member];
    for (uint32_t i = 0; i < m->n_affiliations; i++) {
        const struct affiliated *a = &d->affiliations.v[m->first_affiliation + i];
        if (a->contract == NONE || d->contracts.v[a->contract].product != product ||
            (contract != NONE && contract != a->contract) ||
            !overlaps(a->starts_on, a->ends_on, from, to))
            continue;
        if (!best || rank((enum affiliation_status)a->status) > rank((enum affiliation_status)best->status))
            best = a;
    }
    return best;
}

bool cover_contract_new(const struct dataset *d, const struct contract *c)
{
    date_t since = c->valid_from;
    if (c->updated_at != INSTANT_NONE && instant_date(c->updated_at) > since)
        since = instant_date(c->updated_at);
    return since + d->rules->config->grace_contract_days >= d->rules->today;
}
