/* pipeline.yaml, bound to structs through one table of keys (config.c). Sources stay YAML: only extract knows them. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/date.h"
#include "common/err.h"
#include "common/records.h"
#include "common/yaml.h"

struct config_establishment {
    const char *siret;             /* 14 digits, checked */
    const char *payroll_company_id;
    const char *payroll_token;     /* secret, for extract alone; NULL: the source's own auth */
    int line;
};

struct config_previous_siren {
    const char *siren;             /* 9 digits, checked */
    date_t until;                  /* last day; DATE_NONE when not given */
};

struct config_company {
    const char *id;                /* see company_id_valid */
    const char *siren;             /* 9 digits, checked */
    const char *name;              /* may be NULL */
    int64_t headcount;             /* INT_NONE when not given */
    const char *alan_company_id;   /* default: id; no two companies share one */
    struct config_previous_siren *previous_sirens;
    int n_previous_sirens;
    struct config_establishment *establishments;
    int n_establishments;
    int line;
};

enum { PMSS_FIRST_YEAR = 2015, PMSS_YEARS = 50 };

struct config {
    struct arena arena;            /* owns everything below but the companies */
    const char *path;
    char sha256[65];               /* of the bytes of the file, and of companies_file's if read: "the same configuration" */
    int64_t version;
    const char *staging_dir;
    int64_t keep_runs, keep_months;
    bool archive_raw;
    const char *database_url;      /* secret, for extract and load; "" : libpq's own environment */
    int64_t invoice_month_shift, lookback_months;
    int64_t minimum_employer_share_ppm;
    int64_t executive_minimum_ppm;  /* of T1, by the employer alone */
    int64_t amount_jump_ppm;        /* of last month's total */
    int64_t pmss_cents[PMSS_YEARS]; /* per month, by year from PMSS_FIRST_YEAR; 0: not known (pmss.def, rules.pmss) */
    int64_t tolerance_line_cents, tolerance_invoice_cents;
    int64_t grace_hire_days, grace_contract_days, grace_change_days;
    int64_t stale_after_s;
    int64_t reject_limit_count;    /* or INT_NONE when it is … */
    int64_t reject_limit_ppm;      /* … a share of the records read, or INT_NONE */
    struct yaml *sources;          /* a map, for extract alone; NULL when there is none */
    const char *companies_file;    /* NULL: companies are listed in the file itself */
    struct config_company *companies;   /* by the bytes of their ids, in whatever order they were given: all that is made of
                                         * them follows it, and what two runs made can be read side by side */
    int n_companies;
    struct arena of_companies;     /* owns what is in companies */
};

/* Reads and checks the whole file; every fault at once, ERR_CONFIG. What is for other stages alone is left out, so that
 * its variables need not be set there; and companies_file is not opened where nobody asks for companies: what was staged
 * tells which there are. Relative paths start at the working directory. companies_file is a CSV, with comma
 * or semicolon, one line per establishment, under the header
 *   company_id,siren,name,headcount,alan_company_id,siret,payroll_company_id,payroll_token
 * in any order; the first two are needed; ${NAME} and file: are honoured in payroll_token. A company's lines need not
 * follow each other; what is said of the company itself may be left empty after the first. */
bool config_read(struct config *c, const char *path, enum stage stage, bool companies, struct err *err);
void config_free(struct config *c);
/* The company of an id; NULL when there is none. */
const struct config_company *config_find(const struct config *c, struct str company_id);
/* Forgets the companies: for a stage that finds them in the staged index. */
void config_forget_companies(struct config *c);

/* The PMSS of a month; ERR_CONFIG says where to add the year. */
bool config_pmss(const struct config *c, month_t month, int64_t *ret_cents, struct err *err);

/* Whether `rejects` among `records` (rejected ones included) stay within rules.reject_limit; ERR_DATA tells both. */
bool config_within_reject_limit(const struct config *c, int64_t rejects, int64_t records, struct err *err);

/* 1..64 of A-Z a-z 0-9 . _ -, not starting with . or -: fit for a file name. */
bool company_id_valid(const char *id);

/* The value of a secret scalar: the text itself, or for "file:PATH" the file's content without its last newline; a copy
 * in the arena. A control character in it is refused; messages name the key and never the value. */
bool config_secret(struct arena *a, const struct yaml *node, const char **ret, struct err *err);

#endif
