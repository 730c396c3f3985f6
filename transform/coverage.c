#include "transform/coverage.h"

#include "transform/cover.h"

/* One employee in the payroll month. */
struct situation {
    struct dataset *d;
    struct findings *f;
    const struct person *person;
    int32_t employment;          /* the first one active in the month */
    date_t from, to;             /* its days in the month */
    const struct affiliated *affiliation;
    bool active, assigned, exempt, new_hire;
    bool written;                /* coverage records are wanted */
    struct exemption exemption;
};

static bool in_grace(const struct dataset *d, date_t since, int64_t days)
{
    return since + days >= d->rules->today;
}

static struct situation situation_of(struct dataset *d, struct findings *f, const struct person *p)
{
    struct situation s = {.d = d, .f = f, .person = p, .employment = NONE};
    date_t first = d->rules->period_days.first, last = d->rules->period_days.last;
    for (uint32_t i = p->first_employment; i < p->first_employment + p->n_employments; i++) {
        const struct employed *e = &d->employments.v[i];
        if (!overlaps(e->starts_on, e->ends_on, first, last))
            continue;
        s.assigned |= e->health_assigned;
        if (s.employment != NONE)
            continue;
        s.employment = (int32_t)i;
        s.from = e->starts_on > first ? e->starts_on : first;
        s.to = e->ends_on != DATE_NONE && e->ends_on < last ? e->ends_on : last;
        s.exempt = cover_exempt(d, (int32_t)i, s.from, s.to, &s.exemption);
        s.new_hire = in_grace(d, e->starts_on, d->rules->config->grace_hire_days);
    }
    if (p->member != NONE)
        s.affiliation = cover_affiliation(d, p->member, PRODUCT_HEALTH, NONE, s.from, s.to);
    s.active = s.affiliation &&
               (s.affiliation->status == AFFILIATION_ACTIVE || s.affiliation->status == AFFILIATION_SUSPENDED);
    if (!d->assignments_known)
        s.assigned = s.active;
    return s;
}

/* About the affiliation's contract too where Alan's side of the matter is that one. */
static struct discrepancy *raise_cover(const struct situation *s, enum discrepancy_code code)
{
    struct about about = ABOUT_NOTHING;
    about.employment = s->employment;
    about.member = s->person->member;
    about.contract = s->affiliation->contract;
    return findings_raise(s->f, code, &about);
}

static struct discrepancy *raise(const struct situation *s, enum discrepancy_code code)
{
    struct about about = ABOUT_NOTHING;
    about.employment = s->employment;
    about.member = s->person->member;
    return findings_raise(s->f, code, &about);
}

static bool recently_changed(const struct situation *s)
{
    const struct affiliated *a = s->affiliation;
    if (!a)
        return false;
    date_t since = a->updated_on != DATE_NONE ? a->updated_on : a->starts_on;
    return in_grace(s->d, since, s->d->rules->config->grace_change_days);
}

static bool put(const struct situation *s, enum coverage_reason reason, struct err *err)
{
    const struct employed *e = &s->d->employments.v[s->employment];
    struct coverage c = {.company_id = s->d->company.company_id, .payroll_month = s->d->rules->period,
                         .employment_id = e->employment_id, .employee_id = s->person->employee_id, .reason = (uint8_t)reason,
                         .since = e->starts_on, .until = DATE_NONE};
    if (reason == COVERAGE_EXEMPT) {
        c.since = s->exemption.from != DATE_NONE ? s->exemption.from : e->starts_on;
        c.until = s->exemption.until;
        c.ground = s->exemption.ground;
    }
    return !s->written || part_put(s->d->part, &coverage_record, &c, err);
}

/* Grounds for which CSS D911-2 and R242-1-6 want a certificate or a signed statement. */
static bool needs_proof(struct str ground)
{
    static const char *const without[] = {"act_before", "act_fixed_term", "act_ten_percent"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (str_is(ground, without[i]))
            return false;
    return true;
}

static struct str date_copy(struct arena *a, date_t d)
{
    char text[DATE_TEXT_MAX];
    return str_of(arena_copy(a, date_text(d, text), 10));
}

/* Whether the reasons that were given have run out; raises dispense_expired then. */
static bool tell_expired(const struct situation *s)
{
    struct exemption ended;
    if (!cover_exemption_ended(s->d, s->employment, s->to, &ended))
        return false;
    struct discrepancy *x = raise(s, DISC_dispense_expired);
    x->expected = ended.ground;
    x->actual = date_copy(s->d->arena, ended.until);
    return true;
}

/* Payroll's mark alone says no ground: one that ended is the better explanation. */
static bool tell_exempt(const struct situation *s, struct err *err)
{
    if (s->active && s->person->exempt_held_cents == 0)
        raise_cover(s, DISC_exempt_but_affiliated);
    bool expired = !s->exemption.ground.p && tell_expired(s);
    if (!expired && needs_proof(s->exemption.ground) && !s->exemption.proof.len)
        raise(s, DISC_dispense_unproven)->actual = s->exemption.ground;
    return put(s, COVERAGE_EXEMPT, err);
}

/* Payroll would not deduct what Alan covers. */
static void tell_affiliated(const struct situation *s)
{
    int32_t contract = s->affiliation->contract;
    if (contract != NONE && cover_contract_new(s->d, &s->d->contracts.v[contract]))
        return;  /* told once, of the contract */
    if (s->new_hire || recently_changed(s))
        finding_side(raise(s, DISC_pending_synchronisation), SIDE_PAYROLL);
    else
        raise_cover(s, DISC_affiliated_not_assigned);
}

/* Payroll deducts for cover that Alan does not give. */
static bool tell_assigned(const struct situation *s, struct err *err)
{
    bool pending = s->affiliation && s->affiliation->status == AFFILIATION_PENDING;
    if (s->person->member == NONE && s->person->explained)
        return true;
    if (s->new_hire || (pending && recently_changed(s))) {
        finding_side(raise(s, DISC_pending_synchronisation), SIDE_ALAN);
        return put(s, COVERAGE_PENDING, err);
    }
    raise(s, s->person->member == NONE ? DISC_employee_not_at_insurer : DISC_assigned_not_affiliated);
    return put(s, pending ? COVERAGE_PENDING : COVERAGE_NOT_AFFILIATED, err);
}

static bool tell_neither(const struct situation *s, struct err *err)
{
    if (tell_expired(s))
        return put(s, COVERAGE_NOT_ASSIGNED, err);
    if (s->new_hire) {
        finding_side(raise(s, DISC_pending_synchronisation), SIDE_PAYROLL);
        return put(s, COVERAGE_PENDING, err);
    }
    raise(s, DISC_no_contract_assigned);
    return put(s, COVERAGE_NOT_ASSIGNED, err);
}

static bool tell(const struct situation *s, struct err *err)
{
    if (s->exempt)
        return tell_exempt(s, err);
    if (s->active && s->assigned)
        return true;
    if (s->active) {
        tell_affiliated(s);
        return true;
    }
    return s->assigned ? tell_assigned(s, err) : tell_neither(s, err);
}

bool coverage_write(struct dataset *d, struct findings *f, bool write, struct err *err)
{
    for (uint32_t i = 0; i < d->persons.n; i++) {
        dataset_forget(d, i);
        if (!d->persons.v[i].active)
            continue;
        struct situation s = situation_of(d, f, &d->persons.v[i]);
        s.written = write;
        if (!tell(&s, err))
            return false;
    }
    return true;
}
