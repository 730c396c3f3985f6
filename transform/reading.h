/* How a dataset is read: in a known order, whatever the order of its lines. For dataset.c, members.c and lines.c. */
#ifndef TRANSFORM_READING_H
#define TRANSFORM_READING_H

#include "transform/dataset.h"

struct reading {
    struct dataset *d;
    const struct part_in *in;
    struct list rejects;             /* of struct reject */
    struct err *err;
};

/* One field that an order goes by. */
struct order_key {
    size_t offset;
    enum { ORDER_END, ORDER_TEXT, ORDER_DAY } type;
};
#define ORDER_TYPE(rec, field) _Generic((struct rec){.company_id = STR_NULL}.field, struct str: ORDER_TEXT, date_t: ORDER_DAY)
#define BY(rec, field) {offsetof(struct rec, field), ORDER_TYPE(rec, field)}
#define ORDER(...) ((const struct order_key[]){__VA_ARGS__, {0, ORDER_END}})

int compare_records(const void *a, const void *b, const struct order_key *order);
bool in_order(const void *v, uint32_t n, size_t size, const struct order_key *order);
void sort_records(void *v, uint32_t n, size_t size, const struct order_key *order);

/* What is kept of records that are read again from their lines: n elements of this size, each with what scan_keep gave as
 * its first member. Sorts by up to three fields of the record. */
void sort_kept(const struct lines *lines, void *v, uint32_t n, size_t size, const struct order_key *order, struct arena *a);
/* Passes on to the output what was read of an entity that goes through unchanged: as it came when it came in order and
 * whole, else written anew in the order in which it stands. */
bool pass_kept(struct reading *rd, const struct lines *lines, const void *v, uint32_t n, size_t size, bool as_it_came);

/* lookup_build for so many that their lines should not all be in memory at once. */
void index_many(const struct dataset *d, struct lookup *l, const void *v, uint32_t n, size_t stride, size_t key);

/* members.c: affiliations, and the people they are of; people whom only lines name (distinct ids, in order), among them. */
bool read_affiliations(struct reading *rd);
void add_strangers(struct dataset *d, const struct str *ids, uint32_t n);
void member_learn(struct dataset *d, struct insured *m, struct str nir, struct str first_name, struct str last_name,
                  struct str birth_name, date_t birth_date);

/* assignments.c: which payroll contracts an employment names, kept once where the employments before name the same (its
 * lists are taken back); payroll contracts, after the employments; marks the employments that payroll has given a health
 * contract. */
enum { NAMING_LAST = 64 };
struct naming {
    struct dataset *d;
    uint32_t last[NAMING_LAST];      /* by hash: positions in named */
    uint32_t cap;
};
uint32_t assignments_named(struct naming *naming, struct scan *s, const struct employment *e);
bool read_payroll_contracts(struct reading *rd);
void mark_assigned(struct dataset *d);

/* lines.c: the lines, after the members; then what needs all of the company: rejects of lines that are of no use, and what
 * lines tell of members. */
void read_lines(struct reading *rd);
void settle_lines(struct dataset *d);

#endif
