/* Everything staged about one company, decoded, ordered and indexed; and what transform works out about it. All memory
 * is the company's arena. Positions are indexes into the arrays here; NONE stands for no position. */
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
    const struct employee *record;
    uint64_t nir13;                  /* 0: no number that could identify */
    enum nir_status nir_status;
    uint32_t first_employment, n_employments;  /* in employments, by start */
    int32_t member;                  /* who that is at Alan, or NONE; insured.also leads to more */
    bool active;                     /* has an employment in the payroll month */
    bool number_shared;              /* with another employee */
    int64_t exempt_held_cents;       /* what exempt_but_billed holds of them; 0 once it is credited */
    bool explained;                  /* an identity discrepancy already says why Alan's side is missing */
};

/* Somebody insured through Alan; output as a `member` record. */
struct insured {
    struct member record;
    struct str birth_name;
    uint64_t nir13;
    enum nir_status nir_status;
    uint32_t first_affiliation, n_affiliations;
    int32_t person;                  /* who that is in payroll, or NONE */
    bool number_shared;              /* with another member */
    bool numbers_differ;             /* Alan itself gives several: the others are in other_numbers */
    int32_t also;                    /* another member who is the same person, or NONE */
    bool amount_questioned;          /* a mismatch of this month's amounts is raised for them */
    bool billed;                     /* has a line that matters in this payroll month */
    enum discrepancy_code hold;      /* why the lines are held while person is NONE … */
    struct about blame;              /* … and what that discrepancy is about */
};

/* A number that Alan gives for a member beside another one. */
struct other_number {
    uint64_t nir13;
    int32_t member;
};

/* What is known of each invoice line besides its record. */
struct line_state {
    int32_t invoice, contract, member;
    bool undone;                     /* adjustments take it back to the cent */
    int64_t adjusted_cents;          /* what adjustments in the window add to it */
    bool duplicate;
};

#define ARRAY(type, name) struct { struct type *v; uint32_t n; } name

struct dataset {
    const struct rules *rules;
    struct arena *arena;
    struct part *part;
    struct company company;

    ARRAY(contract, contracts);                  /* by contract_id */
    ARRAY(invoice, invoices);                    /* by invoice_id */
    ARRAY(invoice_line, lines);                  /* by line_id */
    ARRAY(affiliation, affiliations);            /* by member_id, affiliation_id */
    ARRAY(employee, employees);                  /* by employee_id */
    ARRAY(employment, employments);              /* by employee_id, starts_on, employment_id */
    ARRAY(payroll_contract, payroll_contracts);  /* by payroll_contract_id */
    ARRAY(pay_base, pay_bases);                  /* by employment_id, month */
    ARRAY(payroll_period, payroll_periods);
    ARRAY(link, links);                          /* by member_id */
    ARRAY(dispense, dispenses);                  /* by employee_id, valid_from */
    ARRAY(closed_period, closed_periods);
    ARRAY(posted, posted);                       /* by line_id, employment_id, cover_from */

    bool assignments_known;                      /* payroll says who has which contract */
    struct person *persons;                      /* one for each employee, same positions */
    int32_t *person_of_employment;
    int32_t *contract_of_affiliation;            /* or NONE */
    bool *health_assigned;                       /* per employment: payroll has given it a health contract */
    ARRAY(insured, members);                     /* by member_id */
    ARRAY(other_number, other_numbers);
    struct line_state *line_states;

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

/* The position of a line, NONE when there is none of this id. */
int64_t dataset_line(const struct dataset *d, struct str line_id);

/* The first position in posted that is not before this line: what closed months gave for it begins there. */
uint32_t dataset_posted_from(const struct dataset *d, struct str line_id);

/* The pay base of an employment in a month, or NULL. */
const struct pay_base *dataset_pay_base(const struct dataset *d, struct str employment_id, month_t month);

static inline bool overlaps(date_t from, date_t to_or_none, date_t first, date_t last)
{
    return from <= last && (to_or_none == DATE_NONE || to_or_none >= first);
}

#endif
