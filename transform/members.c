/* People at Alan, in order of member_id: those with affiliations, and those whom only lines name. */
#include <stdlib.h>

#include "transform/reading.h"

static void member_init(struct insured *m, struct str member_id)
{
    *m = (struct insured){.member_id = member_id, .birth_date = DATE_NONE, .matched_by = MATCHED_NONE,
                          .nir_status = NIR_ABSENT, .person = NONE, .also = NONE, .blamed_person = NONE,
                          .blamed_member = NONE};
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
void member_learn(struct dataset *d, struct insured *m, struct str nir, struct str first_name, struct str last_name,
                  struct str birth_name, date_t birth_date)
{
    if (nir.p && !str_eq(nir, m->nir)) {
        uint64_t nir13;
        enum nir_status status = nir_parse(nir, &nir13);
        if (status != NIR_ABSENT && (m->nir_status == NIR_ABSENT || (nir13 && !m->nir13))) {
            m->nir = nir;
            m->nir_status = (uint8_t)status;
            m->nir13 = nir13;
        } else if (nir13 && m->nir13 && nir13 != m->nir13) {
            m->numbers_differ = true;
            add_other_number(d, m, nir13);
        }
    }
    if (!m->last_name.p) {
        m->last_name = last_name;
        m->first_name = first_name;
    }
    if (!m->birth_name.p)
        m->birth_name = birth_name;
    if (m->birth_date == DATE_NONE)
        m->birth_date = birth_date;
}

/* ---- affiliations ---- */

/* The next one in order of member_id. */
static void add_affiliation(struct dataset *d, const struct affiliation *a, uint32_t at, uint32_t *near_contract)
{
    uint32_t i = d->affiliations.n++, known = d->members.n;
    struct insured *m = &d->members.v[known ? known - 1 : 0];
    if (!known || !str_eq(m->member_id, a->member_id)) {
        m = &d->members.v[d->members.n++];
        member_init(m, a->member_id);
        m->first_affiliation = i;
    }
    m->n_affiliations++;
    member_learn(d, m, a->nir, a->first_name, a->last_name, a->birth_name, a->birth_date);
    d->affiliations.v[i] = (struct affiliated){
        .at = at, .starts_on = a->starts_on, .ends_on = a->ends_on, .status = a->status,
        .contract = (int32_t)lookup_find_near(&d->contract_by_id, a->contract_id, d->contracts.n, near_contract),
        .updated_on = a->updated_at == INSTANT_NONE ? DATE_NONE : instant_date(a->updated_at)};
}

/* Once more, from affiliations that came in another order. */
static void rebuild_members(struct dataset *d)
{
    uint32_t n = d->affiliations.n, near_contract = 0;
    sort_kept(&d->affiliation_lines, d->affiliations.v, n, sizeof *d->affiliations.v,
              ORDER(BY(affiliation, member_id), BY(affiliation, affiliation_id)), d->arena);
    d->affiliations.n = d->members.n = d->other_numbers.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct affiliation a;
        uint32_t at = d->affiliations.v[i].at;
        dataset_read_affiliation(d, &d->affiliations.v[i], &a);
        add_affiliation(d, &a, at, &near_contract);
        dataset_forget(d, i);
    }
}

/* Before b, by both ids. */
static bool follows(const struct affiliation *b, struct str member_id, struct str affiliation_id)
{
    int way = str_cmp(member_id, b->member_id);
    return way < 0 || (way == 0 && str_cmp(affiliation_id, b->affiliation_id) <= 0);
}

bool read_affiliations(struct reading *rd)
{
    struct dataset *d = rd->d;
    struct scan s;
    struct affiliation a;
    struct str affiliation_id = STR_NULL, member_id = STR_NULL;
    uint32_t rejects_before = rd->rejects.n, near_contract = 0;
    bool sorted = true, by_member = true;
    LOOKUP_BUILD(&d->contract_by_id, d->arena, d->contracts.v, d->contracts.n, contract, contract_id);
    scan_begin(&s, rd->in, &d->company, &affiliation_record, d->arena, &rd->rejects);
    d->members_most = (uint32_t)s.rows;
    d->affiliations.v = arena_raw(d->arena, (size_t)s.rows * sizeof *d->affiliations.v);
    d->members.v = arena_raw(d->arena, (size_t)s.rows * sizeof *d->members.v);
    while (scan_next(&s, &a)) {
        sorted = sorted && str_cmp(affiliation_id, a.affiliation_id) <= 0;
        by_member = by_member && follows(&a, member_id, affiliation_id);
        affiliation_id = a.affiliation_id;
        member_id = a.member_id;
        add_affiliation(d, &a, scan_keep(&s, &a), &near_contract);
    }
    d->affiliation_lines = s.lines;
    if (!sorted)
        sort_kept(&s.lines, d->affiliations.v, d->affiliations.n, sizeof *d->affiliations.v,
                  ORDER(BY(affiliation, affiliation_id)), d->arena);
    if (!pass_kept(rd, &s.lines, d->affiliations.v, d->affiliations.n, sizeof *d->affiliations.v,
                   sorted && rd->rejects.n == rejects_before))
        return false;
    if (!sorted || !by_member)
        rebuild_members(d);
    index_many(d, &d->member_by_id, d->members.v, d->members.n, sizeof *d->members.v, offsetof(struct insured, member_id));
    return true;
}

/* ---- strangers ---- */

/* Where members went: what else refers to them follows. */
static void move_members(struct dataset *d, const int32_t *to)
{
    for (uint32_t i = 0; i < d->lines.n; i++)
        if (d->lines.v[i].member != NONE)
            d->lines.v[i].member = to[d->lines.v[i].member];
    for (uint32_t i = 0; i < d->other_numbers.n; i++)
        d->other_numbers.v[i].member = to[d->other_numbers.v[i].member];
}

void add_strangers(struct dataset *d, const struct str *ids, uint32_t n)
{
    uint32_t left = d->members.n, all = left + n;
    int32_t *to = mem_take(left * sizeof *to);
    struct insured *from = d->members.v;
    if (all > d->members_most)
        d->members.v = arena_raw(d->arena, all * sizeof *d->members.v);
    for (uint32_t i = all; i-- > 0;) {
        if (n && (!left || str_cmp(ids[n - 1], from[left - 1].member_id) > 0)) {
            member_init(&d->members.v[i], ids[--n]);
        } else {
            d->members.v[i] = from[--left];
            to[left] = (int32_t)i;
        }
    }
    d->members.n = all;
    move_members(d, to);
    free(to);
    index_many(d, &d->member_by_id, d->members.v, all, sizeof *d->members.v, offsetof(struct insured, member_id));
}
