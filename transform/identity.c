#include "transform/identity.h"

#include <stdlib.h>

#include "transform/candidates.h"
#include "transform/numbers.h"

enum { NTT_LEAST = 11, NTT_MOST = 40 };

/* ---- numbers that two people share ---- */

/* In order of number and position; the caller frees them. */
static struct number *numbers_of_persons(const struct dataset *d, uint32_t *ret_n)
{
    struct number *v = mem_take(d->persons.n * sizeof *v);
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->persons.n; i++)
        if (d->persons.v[i].nir13)
            v[n++] = (struct number){d->persons.v[i].nir13, (int32_t)i};
    numbers_sort(v, n);
    *ret_n = n;
    return v;
}

static struct number *numbers_of_members(const struct dataset *d, uint32_t *ret_n)
{
    struct number *v = mem_take((d->members.n + d->other_numbers.n) * sizeof *v);
    uint32_t n = 0, distinct = 0;
    for (uint32_t i = 0; i < d->members.n; i++)
        if (d->members.v[i].nir13)
            v[n++] = (struct number){d->members.v[i].nir13, (int32_t)i};
    for (uint32_t i = 0; i < d->other_numbers.n; i++)
        v[n++] = (struct number){d->other_numbers.v[i].nir13, d->other_numbers.v[i].member};
    numbers_sort(v, n);
    for (uint32_t i = 0; i < n; i++)
        if (!distinct || v[i].nir13 != v[distinct - 1].nir13 || v[i].at != v[distinct - 1].at)
            v[distinct++] = v[i];
    *ret_n = distinct;
    return v;
}

/* The person under whom several with one number are told: the first who works in the month, else the first. */
static int32_t representative(const struct dataset *d, const struct number *group, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (d->persons.v[group[i].at].active)
            return group[i].at;
    return group->at;
}

static struct list others_as_candidates(const struct dataset *d, const struct number *group, uint32_t count, int32_t told)
{
    struct candidate *v = arena_alloc(d->arena, CANDIDATES_MAX * sizeof *v);
    uint32_t n = 0;
    for (uint32_t i = 0; i < count && n < CANDIDATES_MAX; i++) {
        if (group[i].at == told)
            continue;
        struct employee e;
        dataset_read_employee(d, &d->persons.v[group[i].at], &e);
        v[n++] = (struct candidate){e.employee_id, e.matricule, e.first_name, e.last_name, e.birth_date, SCORE_TWIN};
    }
    return (struct list){v, n};
}

/* One discrepancy for each number that several employees have; the others are its candidates. */
static void share_among_persons(struct dataset *d, struct findings *f, const struct number *v, uint32_t n)
{
    uint32_t count;
    for (uint32_t i = 0; i < n; i += count) {
        const struct number *group = v + i;
        count = numbers_alike(group, n - i);
        if (count < 2)
            continue;
        struct about about = ABOUT_NOTHING;
        about.person = representative(d, group, count);
        struct discrepancy *x = findings_raise(f, DISC_nir_duplicate, &about);
        finding_side(x, SIDE_PAYROLL);
        x->candidates = others_as_candidates(d, group, count, about.person);
        for (uint32_t k = 0; k < count; k++) {
            d->persons.v[group[k].at].number_shared = true;
            d->persons.v[group[k].at].explained = true;
        }
    }
}

static void share_among_members(struct dataset *d, struct findings *f, const struct number *v, uint32_t n)
{
    uint32_t count;
    for (uint32_t i = 0; i < n; i += count) {
        const struct number *group = v + i;
        count = numbers_alike(group, n - i);
        if (count < 2)
            continue;
        struct about about = ABOUT_NOTHING;
        about.member = group->at;
        struct discrepancy *x = findings_raise(f, DISC_nir_duplicate, &about);
        finding_side(x, SIDE_ALAN);
        struct str other = d->members.v[group[1].at].member_id;
        x->actual = other;
        for (uint32_t k = 0; k < count; k++) {
            d->members.v[group[k].at].number_shared = true;
            d->members.v[group[k].at].blamed_member = group->at;
        }
    }
}

/* ---- matching ---- */

static void match(struct dataset *d, struct insured *m, int32_t person, enum matched_by how)
{
    m->person = person;
    m->matched_by = (uint8_t)how;
    int32_t *next = &d->persons.v[person].member;
    while (*next != NONE)
        next = &d->members.v[*next].also;
    *next = (int32_t)(m - d->members.v);
}

static void match_by_nir(struct dataset *d, const struct number *persons, uint32_t n)
{
    for (uint32_t i = 0; i < d->members.n; i++) {
        struct insured *m = &d->members.v[i];
        if (!m->nir13 || m->numbers_differ)
            continue;
        uint32_t count;
        const struct number *found = number_find(persons, n, m->nir13, &count);
        if (count > 1) {
            m->hold = DISC_nir_duplicate;
            m->blamed_member = NONE;
            m->blamed_person = representative(d, found, count);
        } else if (m->number_shared) {
            m->hold = DISC_nir_duplicate;
            if (count)
                d->persons.v[found->at].explained = true;
        } else if (count == 1) {
            match(d, m, found->at, MATCHED_NIR);
        }
    }
}

/* Letters and digits in upper case; null when too short or long to be an NTT. */
static struct str ntt_normalise(char out[NTT_MOST], struct str s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            continue;
        if (n == NTT_MOST)
            return STR_NULL;
        out[n++] = c;
    }
    return n >= NTT_LEAST ? (struct str){out, n, false} : STR_NULL;
}

struct ntt {
    struct str text;
    int32_t person, member;
    bool shared;                     /* with another employee, or by two members, or one of two of a member */
};

struct ntts {
    struct ntt *v;
    uint32_t n;
    struct lookup by_text;
    int32_t *of_member;
};

static void add_ntt(struct dataset *d, struct ntts *x, int32_t person)
{
    struct employee e;
    char text[NTT_MOST];
    dataset_read_employee(d, &d->persons.v[person], &e);
    struct str ntt = ntt_normalise(text, e.ntt);
    int64_t before = lookup_find(&x->by_text, ntt);
    if (before != LOOKUP_NONE) {
        x->v[before].shared = true;
    } else if (ntt.p) {
        ntt.p = arena_copy(d->arena, text, ntt.len);
        x->v[x->n] = (struct ntt){ntt, person, NONE, false};
        lookup_add(&x->by_text, x->n++);
    }
}

static void ntts_of_persons(struct dataset *d, struct ntts *x)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < d->persons.n; i++)
        most += d->persons.v[i].has_ntt;
    *x = (struct ntts){.v = arena_alloc(d->arena, most * sizeof *x->v)};
    lookup_reserve(&x->by_text, d->arena, x->v, most, sizeof *x->v, offsetof(struct ntt, text));
    for (uint32_t i = 0; i < d->persons.n; i++)
        if (d->persons.v[i].has_ntt)
            add_ntt(d, x, (int32_t)i);
}

/* Alan has one field for the number: an NTT stands in it where the NIR is not known yet, and goes on standing on what was
 * billed before. */
static void claim_ntt(struct ntts *x, struct str nir, int32_t member)
{
    char text[NTT_MOST];
    int32_t found = member == NONE ? NONE : (int32_t)lookup_find(&x->by_text, ntt_normalise(text, nir));
    if (found == NONE)
        return;
    int32_t other = x->of_member[member];
    if (other != NONE && other != found)
        x->v[found].shared = x->v[other].shared = true;
    x->of_member[member] = found;
    x->v[found].shared |= x->v[found].member != NONE && x->v[found].member != member;
    x->v[found].member = member;
}

static void claim_ntts(struct dataset *d, struct ntts *x)
{
    for (uint32_t i = 0; i < d->members.n; i++)
        for (uint32_t k = 0; k < d->members.v[i].n_affiliations; k++) {
            struct affiliation a;
            dataset_read_affiliation(d, &d->affiliations.v[d->members.v[i].first_affiliation + k], &a);
            claim_ntt(x, a.nir, (int32_t)i);
            dataset_forget(d, d->members.v[i].first_affiliation + k);
        }
    for (uint32_t i = 0; i < d->lines.n; i++) {
        struct invoice_line line;
        dataset_read_line(d, &d->lines.v[i], &line);
        claim_ntt(x, line.nir, d->lines.v[i].member);
        dataset_forget(d, i);
    }
}

static void match_by_ntt(struct dataset *d)
{
    struct ntts x;
    ntts_of_persons(d, &x);
    if (!x.n)
        return;
    x.of_member = mem_take(d->members.n * sizeof *x.of_member);
    for (uint32_t i = 0; i < d->members.n; i++)
        x.of_member[i] = NONE;
    claim_ntts(d, &x);
    for (uint32_t i = 0; i < x.n; i++) {
        struct insured *m = x.v[i].member == NONE ? NULL : &d->members.v[x.v[i].member];
        if (m && !x.v[i].shared && m->person == NONE && !m->numbers_differ)
            match(d, m, x.v[i].person, MATCHED_NTT);
    }
    free(x.of_member);
}

static void match_by_link(struct dataset *d)
{
    for (uint32_t i = 0; i < d->links.n; i++) {
        int64_t member = lookup_find(&d->member_by_id, d->links.v[i].member_id);
        int64_t person = lookup_find(&d->employee_by_id, d->links.v[i].employee_id);
        if (member != LOOKUP_NONE && person != LOOKUP_NONE && d->members.v[member].person == NONE)
            match(d, &d->members.v[member], (int32_t)person, MATCHED_LINK);
    }
}

/* ---- those who remain ---- */

static char *masked(struct arena *a, struct str nir)
{
    char text[NIR_MASKED_MAX];
    nir_masked(nir, text);
    return arena_copy(a, text, strlen(text));
}

/* The same names and birth date on both sides but another number. */
static void raise_mismatch(struct dataset *d, struct findings *f, struct insured *m, int32_t twin, struct list candidates)
{
    struct about about = ABOUT_NOTHING;
    about.person = m->blamed_person = twin;
    about.member = m->blamed_member = (int32_t)(m - d->members.v);
    m->hold = DISC_nir_mismatch;
    struct discrepancy *x = findings_raise(f, DISC_nir_mismatch, &about);
    x->candidates = candidates;
    x->actual = str_of(masked(d->arena, m->nir));
    if (twin != NONE) {
        struct employee e;
        dataset_read_employee(d, &d->persons.v[twin], &e);
        x->expected = str_of(masked(d->arena, e.nir));
    }
    finding_side(x, m->numbers_differ ? SIDE_ALAN : SIDE_BOTH);
}

static void explain_member(struct dataset *d, struct findings *f, struct candidates *c, struct insured *m)
{
    int32_t twin;
    struct list candidates = candidates_for(c, m, &twin);
    if (twin != NONE)
        d->persons.v[twin].explained = true;
    if (m->numbers_differ || (twin != NONE && m->nir13 && d->persons.v[twin].nir13)) {
        raise_mismatch(d, f, m, twin, candidates);
        return;
    }
    m->hold = DISC_member_not_in_payroll;
    m->blamed_person = NONE;
    m->blamed_member = (int32_t)(m - d->members.v);
    struct about about = ABOUT_NOTHING;
    about.member = m->blamed_member;
    if (m->billed)
        findings_raise(f, DISC_member_not_in_payroll, &about)->candidates = candidates;
}

void identity_match(struct dataset *d, struct findings *f)
{
    uint32_t n_persons, n_members;
    struct number *persons = numbers_of_persons(d, &n_persons), *members = numbers_of_members(d, &n_members);
    share_among_persons(d, f, persons, n_persons);
    share_among_members(d, f, members, n_members);
    match_by_nir(d, persons, n_persons);
    free(persons);
    free(members);
    match_by_ntt(d);
    match_by_link(d);
    struct candidates *c = NULL;
    for (uint32_t i = 0, explained = 0; i < d->members.n; i++) {
        struct insured *m = &d->members.v[i];
        if (m->person != NONE || m->hold)
            continue;
        if (!c)
            c = candidates_prepare(d);
        explain_member(d, f, c, m);
        dataset_forget(d, ++explained * FAR_APART);
    }
}

/* ---- numbers by themselves ---- */

static void check_birth(struct dataset *d, struct findings *f, const struct about *about, uint64_t nir13, date_t birth_date,
                        enum side side)
{
    int year, month, day;
    if (!nir13 || birth_date == DATE_NONE)
        return;
    date_civil(birth_date, &year, &month, &day);
    if (nir_birth_year(nir13) == year % 100)
        return;
    struct discrepancy *x = findings_raise(f, DISC_nir_birth_mismatch, about);
    x->expected = str_of(arena_printf(d->arena, "%02d", year % 100));
    x->actual = str_of(arena_printf(d->arena, "%02d", nir_birth_year(nir13)));
    finding_side(x, side);
}

static void check_number(struct findings *f, const struct about *about, enum nir_status status, bool has_ntt,
                         enum side side)
{
    enum discrepancy_code code = DISC_NULL;
    if (has_ntt && (status == NIR_ABSENT || status == NIR_MALFORMED))
        code = DISC_nir_provisional;
    else if (status == NIR_ABSENT)
        code = DISC_nir_missing;
    else if (status == NIR_PROVISIONAL)
        code = DISC_nir_provisional;
    else if (status != NIR_OK)
        code = DISC_nir_invalid;
    if (code)
        finding_side(findings_raise(f, code, about), side);
}

static bool member_matters(const struct dataset *d, const struct insured *m)
{
    date_t first = d->rules->period_days.first, last = d->rules->period_days.last;
    for (uint32_t i = 0; i < m->n_affiliations; i++) {
        const struct affiliated *a = &d->affiliations.v[m->first_affiliation + i];
        if (a->status != AFFILIATION_ENDED && a->status != AFFILIATION_EXEMPT &&
            overlaps(a->starts_on, a->ends_on, first, last))
            return true;
    }
    return m->billed;
}

void identity_check_numbers(struct dataset *d, struct findings *f)
{
    for (uint32_t i = 0; i < d->persons.n; i++) {
        const struct person *p = &d->persons.v[i];
        struct about about = ABOUT_NOTHING;
        about.person = (int32_t)i;
        dataset_forget(d, i);
        if (!p->active)
            continue;
        check_number(f, &about, (enum nir_status)p->nir_status, p->has_ntt, SIDE_PAYROLL);
        check_birth(d, f, &about, p->nir13, p->birth_date, SIDE_PAYROLL);
    }
    for (uint32_t i = 0; i < d->members.n; i++) {
        const struct insured *m = &d->members.v[i];
        struct about about = ABOUT_NOTHING;
        about.person = m->person;
        about.member = (int32_t)i;
        dataset_forget(d, i);
        if (!member_matters(d, m))
            continue;
        check_number(f, &about, (enum nir_status)m->nir_status, m->matched_by == MATCHED_NTT, SIDE_ALAN);
        check_birth(d, f, &about, m->nir13, m->birth_date, SIDE_ALAN);
    }
}
