/* Everything staged about one company, ordered and indexed; and what transform works out about it. All memory is the
 * company's arena. Positions are indexes into the arrays here; NONE stands for no position.
 *
 * A company can be as large as a tenth of all others together. Of what it has most of (lines, affiliations, people)
 * only what is asked of it again and again is kept here; the rest is read once more from its line in the mapped file. */
#ifndef TRANSFORM_DATASET_H
#define TRANSFORM_DATASET_H

#include "common/config.h"
#include "common/nir.h"
#include "common/staging.h"
#include "transform/lookup.h"

enum { NONE = -1 };

/* The days of a month. */
struct days {
    date_t first, last;
};

/* What the run asks for, the same for every company. */
struct rules {
    month_t period;                  /* the payroll month */
    month_t first_billing, last_billing;
    struct days period_days, billing_days;  /* of period and of last_billing */
    instant_t as_of;
    date_t today;                    /* of as_of */
    const struct config *config;
};

/* What a discrepancy is about. Positions may be NONE; the subject is the employment, else the employee, else the member,
 * else the contract, else the invoice. cover_month MONTH_NONE: none. */
struct about {
    int32_t person, employment, member, contract, invoice;
    struct str contract_id;  /* when the contract itself is unknown */
    month_t cover_month;
};
#define ABOUT_NOTHING ((struct about){NONE, NONE, NONE, NONE, NONE, STR_NULL, MONTH_NONE})

/* An employee of payroll. */
struct person {
    uint32_t at;                     /* for dataset_read_employee */
    date_t birth_date;
    struct str employee_id;
    uint64_t nir13;                  /* 0: no number that could identify */
    int64_t exempt_held_cents;       /* what exempt_but_billed holds of them; 0 once it is credited */
    uint32_t first_employment, n_employments;  /* in employments, by start */
    int32_t member;                  /* who that is at Alan, or NONE; insured.also leads to more */
    uint8_t nir_status;              /* enum nir_status */
    bool has_ntt : 1;
    bool active : 1;                 /* has an employment in the payroll month */
    bool number_shared : 1;          /* with another employee */
    bool explained : 1;              /* an identity discrepancy already says why Alan's side is missing */
};

/* An employment. */
struct employed {
    uint32_t at;                     /* its line */
    date_t starts_on, ends_on;
    int32_t person;                  /* or NONE */
    struct str employment_id;
    uint32_t named;                  /* the payroll contracts that it names: position in named */
    uint8_t category;                /* enum category */
    int8_t exempt;                   /* payroll's mark: 1, 0, or -1 for null */
    bool health_assigned;            /* payroll has given it a health contract */
};

/* Payroll contracts that employments name; most name the same ones. */
struct named {
    struct list health_contract_ids, provident_contract_ids;
};

/* A payroll contract. */
struct assignable {
    uint32_t at;                     /* its line */
    uint32_t n_listed;
    uint32_t *listed;                /* positions of the employments that it lists itself, in order */
    struct str payroll_contract_id, reference, option_code, population_code;
    uint8_t product;                 /* enum product */
};

/* A pay base. */
struct based {
    uint32_t at;                     /* for dataset_pay_base */
};

/* One cover of somebody by a contract. */
struct affiliated {
    uint32_t at;                     /* for dataset_read_affiliation */
    int32_t contract;                /* or NONE */
    date_t starts_on, ends_on;
    date_t updated_on;
    uint8_t status;                  /* enum affiliation_status */
    bool billed;                     /* a line covers the billing month */
};

/* Somebody insured through Alan; output as a `member` record. */
struct insured {
    struct str member_id, nir, first_name, last_name, birth_name;
    uint64_t nir13;
    date_t birth_date;
    uint32_t first_affiliation, n_affiliations;
    int32_t person;                  /* who that is in payroll, or NONE */
    int32_t also;                    /* another member who is the same person, or NONE */
    int32_t blamed_person, blamed_member;  /* who the discrepancy of `hold` is about */
    uint8_t hold;                    /* enum discrepancy_code: why the lines are held while person is NONE */
    uint8_t nir_status;              /* enum nir_status */
    uint8_t matched_by;              /* enum matched_by */
    bool number_shared : 1;          /* with another member */
    bool numbers_differ : 1;         /* Alan itself gives several: the others are in other_numbers */
    bool amount_questioned : 1;      /* a mismatch of this month's amounts is raised for them */
    bool billed : 1;                 /* has a line that matters in this payroll month */
};

/* A number that Alan gives for a member beside another one. */
struct other_number {
    uint64_t nir13;
    int32_t member;
};

/* What is kept of an invoice line. */
struct line_state {
    uint32_t at;                     /* for dataset_read_line */
    int32_t invoice, contract, member;
    uint32_t charge;                 /* the same for lines that may be the same charge */
    uint32_t adjusted;               /* position in adjusted_cents; 0: no adjustment is of this line */
    bool comparable : 1;             /* may be billed twice, by itself */
    bool adjusts : 1;                /* another line */
    bool unsettled : 1;              /* unusable, or tells what is not known of its member yet: settle_lines */
    bool undone : 1;                 /* adjustments take it back to the cent */
    bool duplicate : 1;
};

/* A line at hand. */
struct line {
    struct invoice_line record;
    const struct line_state *state;
};

#define ARRAY(type, name) struct { struct type *v; uint32_t n; } name

struct dataset {
    const struct rules *rules;
    struct arena *arena;
    const struct part_in *in;
    struct part *part;
    struct company company;
    struct lines invoice_lines, affiliation_lines, employee_lines, pay_base_lines;  /* as staged */

    ARRAY(contract, contracts);                  /* by contract_id */
    ARRAY(invoice, invoices);                    /* by invoice_id */
    ARRAY(line_state, lines);                    /* by line_id */
    ARRAY(affiliated, affiliations);             /* by member_id, affiliation_id */
    ARRAY(person, persons);                      /* by employee_id */
    ARRAY(employed, employments);                /* by employee_id, starts_on, employment_id */
    ARRAY(named, named);
    ARRAY(assignable, payroll_contracts);        /* by payroll_contract_id */
    ARRAY(based, pay_bases);                     /* by employment_id, month */
    ARRAY(payroll_period, payroll_periods);
    ARRAY(link, links);                          /* by member_id */
    ARRAY(dispense, dispenses);                  /* by employee_id, valid_from */
    ARRAY(closed_period, closed_periods);
    ARRAY(posted, posted);                       /* by line_id, employment_id, cover_from */

    bool assignments_known;                      /* payroll says who has which contract */
    ARRAY(insured, members);                     /* by member_id */
    uint32_t members_most;                       /* for how many there is room */
    ARRAY(other_number, other_numbers);
    int64_t *adjusted_cents;                     /* what adjustments in the window add to a line; 0 at position 0 */

    struct lookup contract_by_id, invoice_by_id, employee_by_id, employment_by_id, payroll_contract_by_id,
        member_by_id, dispense_by_employee;
};

/* Decodes and indexes one company of a part; lines that do not decode, and invoice lines of an invoice that is not
 * there, become rejects of the output part. Also passes on to the output what goes through unchanged. */
bool dataset_read(struct dataset *d, const struct rules *rules, const struct part_in *in, const struct company *company,
                  struct arena *arena, struct part *out, struct err *err);

/* Whether the lines of a billing month matter now: its payroll month is this one, or was closed here before. Months
 * that are still open are left to their own run. */
bool dataset_billing_counts(const struct dataset *d, month_t billing_month);
bool dataset_closed(const struct dataset *d, month_t payroll_month);

/* The records behind what is kept, read once more. */
void dataset_read_employee(const struct dataset *d, const struct person *p, struct employee *ret);
void dataset_read_affiliation(const struct dataset *d, const struct affiliated *a, struct affiliation *ret);
void dataset_read_line(const struct dataset *d, const struct line_state *state, struct invoice_line *ret);
/* To be told each time in a long loop over such records which of them is at hand: now and then takes what lies behind out of
 * memory. Where each of them refers to what lies scattered over many others, its number times FAR_APART. */
enum { FAR_APART = 64 };
void dataset_forget(const struct dataset *d, uint32_t i);

/* The position of a line, NONE when there is none of this id. */
int64_t dataset_line(const struct dataset *d, struct str line_id);

/* The first position in posted that is not before this line: what closed months gave for it begins there. */
uint32_t dataset_posted_from(const struct dataset *d, struct str line_id);

/* The pay base of an employment in a month; false when there is none. */
bool dataset_pay_base(const struct dataset *d, struct str employment_id, month_t month, struct pay_base *ret);

/* Whether payroll has assigned the contract of this product and reference to the employment; which payroll contracts of a
 * product the employment itself names (struct str). */
bool dataset_assigned(const struct dataset *d, int32_t employment, enum product product, struct str reference);
struct list dataset_named(const struct dataset *d, int32_t employment, enum product product);

static inline bool overlaps(date_t from, date_t to_or_none, date_t first, date_t last)
{
    return from <= last && (to_or_none == DATE_NONE || to_or_none >= first);
}

#endif
