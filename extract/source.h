/* What a source looks like, as data: read from extract/sources/NAME.yaml (embedded at build time; a name with a slash
 * or ending in .yaml is a file of the user's own) with the `sources:` entry of pipeline.yaml laid over it. Nothing
 * outside this model knows a vendor.
 *
 * A source has entities; an entity is asked for once per company, per establishment, per month or per establishment and
 * month, as the placeholders of its path and query tell (struct request), and each request is answered by one or more
 * pages (spool.h). Two kinds of entities are not asked for: one that reads the pages of another (`from`), and a CSV
 * file that holds all companies (`shared`, see shared.h). */
#ifndef EXTRACT_SOURCE_H
#define EXTRACT_SOURCE_H

#include "common/config.h"
#include "common/records.h"

enum source_kind { SOURCE_REST, SOURCE_CSV };
enum auth_kind { AUTH_NONE, AUTH_BEARER, AUTH_HEADER, AUTH_CLIENT_CREDENTIALS };
enum paging_kind { PAGING_NONE, PAGING_CURSOR, PAGING_PAGE, PAGING_LINK };
enum wire_type {
    WIRE_TEXT, WIRE_DIGITS, WIRE_DATE, WIRE_INSTANT, WIRE_MONTH, WIRE_INTEGER, WIRE_BOOL,
    WIRE_CENTS, WIRE_EUROS, WIRE_RATIO, WIRE_PERCENT, WIRE_LIST
};

enum { PATHS_MAX = 4, REQUEST_VARIABLES_MAX = 8 };

/* Values may hold {company_id} {alan_company_id} {payroll_company_id} {siret} {siren} {payroll_token} {month} (YYYY-MM)
 * {month_compact} (YYYYMM) {payroll_month} {payroll_month_compact} (of the payslip that carries the month's invoice),
 * filled in per request, URL-encoded where they go into a URL. */
struct auth {
    enum auth_kind kind;
    const char *header;            /* AUTH_HEADER: its name */
    const char *token;             /* secret template: bearer token or header value */
    const char *token_url, *client_id, *client_secret, *scope;
};

struct paging {
    enum paging_kind kind;
    const char *param;             /* query parameter of the cursor or the page number */
    const char *next[PATHS_MAX];   /* where the next cursor or link stands in the page; first one found */
    const char *size_param;
    int size, first_page;
    int cap;                       /* pages; one more is a failure, never a truncated list */
    const char *total;             /* where the announced number of records stands; NULL: not announced */
    const char *as_of;             /* where the instant stands that the list is the state of; NULL: when it is received */
};

struct value_map {
    const char *from, *to;         /* from "*": anything else */
};

struct field_map {
    const struct field *field;     /* of the record */
    const char *at[PATHS_MAX];     /* JSON path ("": the record itself), CSV header or, with a {placeholder}, a
                                    * template; the first that is there and not null */
    enum wire_type type;
    struct value_map *values;
    int n_values;
    const char *fallback;          /* default, as text in canonical form; NULL: null */
    struct field_map *sub;         /* WIRE_LIST of objects: the nested record's fields */
    int n_sub;
};

enum per { PER_COMPANY = 0, PER_ESTABLISHMENT = 1, PER_MONTH = 2 }; /* flags: PER_ESTABLISHMENT | PER_MONTH */

struct entity_source {
    const char *name;              /* its key in the description; several may make one entity (`entity: invoices`) */
    const struct record *record;
    int per;
    const char *path;              /* REST: URL path template; CSV: file path template */
    struct { const char *name, *value; } query[REQUEST_VARIABLES_MAX];
    int n_query;
    const char *records;           /* JSON path of the array or object; "" : the root */
    struct paging paging;
    struct field_map *fields;
    int n_fields;
    const char *skip_if_empty;     /* JSON path: a record where it is absent, null or [] counts only when another record
                                    * refers to it */
    const struct entity_source *from; /* its pages are read instead of pages of its own */
    bool fill;                     /* its records only fill what is null in those of the same id */
    bool shared;                   /* one CSV file for all companies, told apart by its column company_id */
    bool *merge;                   /* one flag per field of the record: may differ between two records of one id: the
                                    * first value stays, lists of ids are united */
    const char **ignored;          /* CSV columns that nothing is made of; "*": any */
    int n_ignored;
};

struct source {
    const char *name;              /* its key in pipeline.yaml */
    enum source_kind kind;
    bool optional;                 /* absent (404, no file) is no failure */
    bool payroll;                  /* side it stands for: payroll, else Alan */
    const char *base_url;
    bool insecure_http;            /* http beyond loopback */
    const char *ca_file;           /* NULL: the system's */
    struct auth auth;
    int64_t max_body_bytes, timeout_ms, deadline_ms, connect_timeout_ms;
    int retries, max_parallel, requests_per_second;
    char separator;                /* CSV */
    char decimal_point;
    bool windows_1252;             /* else UTF-8, with or without BOM; "auto" decides by validity: see csv.h */
    bool encoding_auto;
    int month_shift;               /* rules.invoice_month_shift, for {payroll_month} */
    struct entity_source *entities;
    int n_entities;
};

/* Reads every source of the configuration; all faults at once, with file and line. Memory is the configuration's. */
bool sources_read(struct config *config, struct source **ret, int *ret_n, struct err *err);

/* One list to fetch. */
struct request {
    const struct source *source;
    const struct entity_source *entity;
    const struct config_company *company;
    const struct config_establishment *establishment; /* NULL unless PER_ESTABLISHMENT */
    month_t month;                                    /* MONTH_NONE unless PER_MONTH */
    bool optional;                                    /* absent is no failure: its source's word, or an earlier month */
};

/* The first month that an entity is read for, in a window that begins with `first`: pay bases from the January before,
 * because tranches are counted from the beginning of the year. */
month_t source_first_month(const struct entity_source *entity, month_t first);

/* All requests of one company for a window of months, in a fixed order, in the arena. Establishments without a
 * payroll_company_id are passed over where the entity's path needs one. */
struct request *source_requests(const struct source *sources, int n, const struct config_company *company,
                                month_t first, month_t last, struct arena *a, int *ret_n);

/* Fills a template from a request; url: encode the values. The result is in the arena. Placeholders were checked when
 * the source was read; one without a value (no establishment, no month) becomes empty. */
char *source_fill(const char *template, const struct request *request, bool url, struct arena *a);

#endif
