#include "transform/candidates.h"

#include <stdlib.h>

#include "transform/names.h"

enum { SCORE_LEAST = 50, SCORE_BIRTH_DATE = 50, SCORE_LAST = 30, SCORE_FIRST = 20, SCORE_EXCHANGED = 40,
       SCORE_LAST_PART = 15, SCORE_FIRST_PART = 10, PART_LEAST = 3 };

/* An employee whom no member is matched to. */
struct unmatched {
    int32_t person;
    struct folded names;
};

/* One way to come across them: a folded last name, birth name or first name, or a birth date. */
struct entry {
    struct str name;
    date_t birth_date;
    uint32_t at;               /* in unmatched */
};

struct candidates {
    struct dataset *d;
    struct unmatched *unmatched;   /* by employee_id */
    struct entry *by_name, *by_date;
    uint32_t n, n_names, n_dates;
};

static int compare_names(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int way = str_cmp(x->name, y->name);
    return way ? way : (x->at > y->at) - (x->at < y->at);
}

static int compare_dates(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->birth_date != y->birth_date)
        return x->birth_date < y->birth_date ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static void add_name(struct candidates *c, struct str name, uint32_t at)
{
    if (name.len)
        c->by_name[c->n_names++] = (struct entry){name, DATE_NONE, at};
}

static void add_person(struct candidates *c, int32_t person)
{
    struct employee e;
    struct arena *a = c->d->arena;
    dataset_read_employee(c->d, &c->d->persons.v[person], &e);
    uint32_t at = c->n++;
    struct folded names = {name_fold(a, e.first_name), name_fold(a, e.last_name), name_fold(a, e.birth_name), e.birth_date};
    c->unmatched[at] = (struct unmatched){person, names};
    add_name(c, names.last, at);
    add_name(c, names.birth, at);
    add_name(c, names.first, at);
    if (names.birth_date != DATE_NONE)
        c->by_date[c->n_dates++] = (struct entry){STR_NULL, names.birth_date, at};
}

static bool is_unmatched(const struct person *p)
{
    return p->member == NONE && p->n_employments;
}

struct candidates *candidates_prepare(struct dataset *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->persons.n; i++)
        n += is_unmatched(&d->persons.v[i]);
    struct candidates *c = arena_alloc(d->arena, sizeof *c);
    *c = (struct candidates){.d = d, .unmatched = arena_raw(d->arena, n * sizeof *c->unmatched),
                             .by_name = arena_raw(d->arena, 3u * n * sizeof *c->by_name),
                             .by_date = arena_raw(d->arena, n * sizeof *c->by_date)};
    for (uint32_t i = 0; i < d->persons.n; i++) {
        if (is_unmatched(&d->persons.v[i]))
            add_person(c, (int32_t)i);
        dataset_forget(d, i);
    }
    qsort(c->by_name, c->n_names, sizeof *c->by_name, compare_names);
    qsort(c->by_date, c->n_dates, sizeof *c->by_date, compare_dates);
    return c;
}

static bool same(struct str a, struct str b)
{
    return a.len && str_eq(a, b);
}

/* One name written as a part of the other: Martin in Martin-Dupont. */
static bool part_of(struct str a, struct str b)
{
    struct str small = a.len < b.len ? a : b, large = a.len < b.len ? b : a;
    return small.len >= PART_LEAST && memmem(large.p, large.len, small.p, small.len);
}

int candidate_score(const struct folded *a, const struct folded *b)
{
    bool last = same(a->last, b->last) || same(a->last, b->birth) || same(a->birth, b->last) || same(a->birth, b->birth);
    bool first = same(a->first, b->first);
    int score = 0;
    if (!last && !first && same(a->first, b->last) && same(a->last, b->first)) {
        score = SCORE_EXCHANGED;
    } else {
        score += last ? SCORE_LAST : part_of(a->last, b->last) ? SCORE_LAST_PART : 0;
        score += first ? SCORE_FIRST : part_of(a->first, b->first) ? SCORE_FIRST_PART : 0;
    }
    if (score && a->birth_date != DATE_NONE && a->birth_date == b->birth_date)
        score += SCORE_BIRTH_DATE;
    return score;
}

/* The best few found so far, best first; ties by position, which is the order of employee_id. */
struct best {
    int32_t person[CANDIDATES_MAX];
    int score[CANDIDATES_MAX];
    int n, twins;
    int32_t twin;
};

static void consider(struct best *best, int32_t person, int score)
{
    if (score < SCORE_LEAST)
        return;
    for (int i = 0; i < best->n; i++)
        if (best->person[i] == person)
            return;
    if (score == SCORE_TWIN) {
        best->twins++;
        best->twin = person;
    }
    int at = best->n;
    while (at > 0 && (best->score[at - 1] < score || (best->score[at - 1] == score && best->person[at - 1] > person)))
        at--;
    if (at == CANDIDATES_MAX)
        return;
    int last = best->n < CANDIDATES_MAX ? best->n++ : CANDIDATES_MAX - 1;
    for (int i = last; i > at; i--) {
        best->person[i] = best->person[i - 1];
        best->score[i] = best->score[i - 1];
    }
    best->person[at] = person;
    best->score[at] = score;
}

static void consider_entry(const struct candidates *c, const struct folded *who, const struct entry *entry, struct best *best)
{
    const struct unmatched *x = &c->unmatched[entry->at];
    consider(best, x->person, candidate_score(who, &x->names));
}

static void consider_name(struct candidates *c, const struct folded *who, struct str name, struct best *best)
{
    uint32_t low = 0, high = c->n_names;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_cmp(c->by_name[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; name.len && low < c->n_names && str_eq(c->by_name[low].name, name); low++)
        consider_entry(c, who, &c->by_name[low], best);
}

static void consider_date(struct candidates *c, const struct folded *who, struct best *best)
{
    uint32_t low = 0, high = c->n_dates;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (c->by_date[middle].birth_date < who->birth_date)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->n_dates && c->by_date[low].birth_date == who->birth_date; low++)
        consider_entry(c, who, &c->by_date[low], best);
}

struct list candidates_for(struct candidates *c, const struct insured *member, int32_t *ret_twin)
{
    struct arena *a = c->d->arena;
    struct folded who = {name_fold(a, member->first_name), name_fold(a, member->last_name),
                         name_fold(a, member->birth_name), member->birth_date};
    struct best best = {.twin = NONE};
    consider_name(c, &who, who.last, &best);
    consider_name(c, &who, who.birth, &best);
    consider_name(c, &who, who.first, &best);
    if (who.birth_date != DATE_NONE)
        consider_date(c, &who, &best);
    struct candidate *v = arena_alloc(a, (size_t)best.n * sizeof *v);
    for (int i = 0; i < best.n; i++) {
        struct employee e;
        dataset_read_employee(c->d, &c->d->persons.v[best.person[i]], &e);
        v[i] = (struct candidate){e.employee_id, e.matricule, e.first_name, e.last_name, e.birth_date, best.score[i]};
    }
    *ret_twin = best.twins == 1 ? best.twin : NONE;
    return (struct list){v, (uint32_t)best.n};
}
