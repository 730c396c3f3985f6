/* The canonical records: structs and field tables, both made from records.def. */
#ifndef COMMON_RECORDS_H
#define COMMON_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/date.h"
#include "common/money.h"
#include "common/str.h"

/* Enumerations: 0 is null. V(C name, text in NDJSON and SQL). */
#define ENUM_product(V) V(PRODUCT_HEALTH, "health") V(PRODUCT_PROVIDENT, "provident")
#define ENUM_contract_status(V) \
    V(CONTRACT_ACTIVE, "active") V(CONTRACT_PENDING, "pending") V(CONTRACT_TERMINATED, "terminated")
#define ENUM_proration(V) \
    V(PRORATION_NONE, "none") V(PRORATION_CALENDAR_DAYS, "calendar_days") V(PRORATION_THIRTIETHS, "thirtieths")
#define ENUM_category(V) \
    V(CATEGORY_ALL, "all") V(CATEGORY_EXECUTIVE, "executive") V(CATEGORY_NON_EXECUTIVE, "non_executive")
#define ENUM_member_type(V) \
    V(MEMBER_EMPLOYEE, "employee") V(MEMBER_PARTNER, "partner") V(MEMBER_CHILD, "child") \
    V(MEMBER_FAMILY, "family") V(MEMBER_OPTION, "option")
#define ENUM_basis(V) \
    V(BASIS_FIXED, "fixed") V(BASIS_PMSS, "pmss") V(BASIS_GROSS, "gross") V(BASIS_T1, "t1") V(BASIS_T2, "t2") \
    V(BASIS_TB, "tb")
#define ENUM_invoice_type(V) V(INVOICE_INVOICE, "invoice") V(INVOICE_CREDIT_NOTE, "credit_note")
#define ENUM_invoice_status(V) V(INVOICE_ISSUED, "issued") V(INVOICE_PAID, "paid") V(INVOICE_CANCELLED, "cancelled")
#define ENUM_currency(V) V(CURRENCY_EUR, "EUR")
#define ENUM_line_kind(V) V(LINE_RECURRING, "recurring") V(LINE_ADJUSTMENT, "adjustment") V(LINE_FEE, "fee")
#define ENUM_affiliation_status(V) \
    V(AFFILIATION_ACTIVE, "active") V(AFFILIATION_PENDING, "pending") V(AFFILIATION_EXEMPT, "exempt") \
    V(AFFILIATION_SUSPENDED, "suspended") V(AFFILIATION_PORTABILITY, "portability") V(AFFILIATION_ENDED, "ended")
#define ENUM_employment_status(V) \
    V(EMPLOYMENT_ACTIVE, "active") V(EMPLOYMENT_PENDING, "pending") V(EMPLOYMENT_ENDED, "ended")
#define ENUM_period_status(V) V(PERIOD_OPEN, "open") V(PERIOD_CLOSED, "closed")
#define ENUM_company_status(V) V(COMPANY_OK, "ok") V(COMPANY_FAILED, "failed")
#define ENUM_sync_outcome(V) V(SYNC_OK, "ok") V(SYNC_FAILED, "failed") V(SYNC_ABSENT, "absent")
#define ENUM_contribution_kind(V) \
    V(KIND_REGULAR, "regular") V(KIND_REGULARISATION, "regularisation") V(KIND_REVERSAL, "reversal")
#define ENUM_contribution_status(V) V(CONTRIBUTION_READY, "ready") V(CONTRIBUTION_HELD, "held")
#define ENUM_severity(V) V(SEVERITY_INFO, "info") V(SEVERITY_WARNING, "warning") V(SEVERITY_ERROR, "error")
#define ENUM_subject_type(V) \
    V(SUBJECT_EMPLOYMENT, "employment") V(SUBJECT_EMPLOYEE, "employee") V(SUBJECT_MEMBER, "member") \
    V(SUBJECT_CONTRACT, "contract") V(SUBJECT_INVOICE, "invoice") V(SUBJECT_SOURCE, "source") \
    V(SUBJECT_COMPANY, "company")
#define ENUM_side(V) V(SIDE_ALAN, "alan") V(SIDE_PAYROLL, "payroll") V(SIDE_BOTH, "both")
#define ENUM_coverage_reason(V) \
    V(COVERAGE_EXEMPT, "exempt") V(COVERAGE_PENDING, "pending") V(COVERAGE_NOT_ASSIGNED, "not_assigned") \
    V(COVERAGE_NOT_AFFILIATED, "not_affiliated")
#define ENUM_matched_by(V) V(MATCHED_NONE, "none") V(MATCHED_NIR, "nir") V(MATCHED_NTT, "ntt") V(MATCHED_LINK, "link")
#define ENUM_stage(V) V(STAGE_EXTRACT, "extract") V(STAGE_TRANSFORM, "transform") V(STAGE_LOAD, "load")
#define ENUM_reject_reason(V) \
    V(REJECT_MALFORMED_JSON, "malformed_json") V(REJECT_NOT_AN_OBJECT, "not_an_object") \
    V(REJECT_DUPLICATE_KEY, "duplicate_key") V(REJECT_MISSING_FIELD, "missing_field") \
    V(REJECT_WRONG_TYPE, "wrong_type") V(REJECT_BAD_AMOUNT, "bad_amount") V(REJECT_BAD_DATE, "bad_date") \
    V(REJECT_OUT_OF_RANGE, "out_of_range") V(REJECT_TOO_LONG, "too_long") V(REJECT_UNKNOWN_VALUE, "unknown_value") \
    V(REJECT_DUPLICATE_ID, "duplicate_id") V(REJECT_UNKNOWN_COMPANY, "unknown_company")

/* Discrepancy codes come from the catalogue: DISC_nir_mismatch and so on. */
enum discrepancy_code {
    DISC_NULL,
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) DISC_##code,
#include "common/catalogue.def"
#undef CODE
    DISC_COUNT
};

#define ENUMERATIONS(E) \
    E(product) E(contract_status) E(proration) E(category) E(member_type) E(basis) E(invoice_type) E(invoice_status) \
    E(currency) E(line_kind) E(affiliation_status) E(employment_status) E(period_status) E(company_status) \
    E(sync_outcome) E(contribution_kind) E(contribution_status) E(severity) E(subject_type) E(side) \
    E(coverage_reason) E(matched_by) E(stage) E(reject_reason)

#define ENUM_NAME(c, text) c,
#define ENUM_DECLARE(e) enum e { e##_null, ENUM_##e(ENUM_NAME) e##_count };
ENUMERATIONS(ENUM_DECLARE)
#undef ENUM_DECLARE
#undef ENUM_NAME

/* What an enumeration's values are called; names[0] is NULL. */
struct enumeration {
    const char *name;
    const char *const *names;
    int count;             /* values 1..count-1 */
};

#define ENUM_EXTERN(e) extern const struct enumeration e##_enumeration;
ENUMERATIONS(ENUM_EXTERN)
#undef ENUM_EXTERN
extern const struct enumeration discrepancy_code_enumeration;

/* The value called s, or 0. */
int enum_find(const struct enumeration *e, struct str s);

/* A list field: n nested structs, or n struct str for TEXTS. Null and empty are not told apart: both are written []. */
struct arena;
struct list {
    void *v;
    uint32_t n;
};

enum field_type { F_TEXT, F_ENUM, F_CENTS, F_PPM, F_COUNT, F_DATE, F_MONTH, F_INSTANT, F_BOOL, F_TEXTS, F_LIST };
enum field_need { NEED_OPT, NEED_REQ, NEED_SUM };

struct field {
    const char *name;
    enum field_type type;
    enum field_need need;
    size_t offset;
    uint32_t max;                     /* TEXT, TEXTS: most bytes */
    const struct enumeration *values; /* ENUM */
    const struct record *sub;         /* LIST */
    uint32_t name_len;
    const char *key;                  /* the name as it stands in a line: ,"name": */
};

struct record {
    const char *name;      /* as in C and, singular, in SQL: invoice_line */
    const char *entity;    /* as in file names: invoice_lines; "" for a nested record */
    const struct field *fields;
    uint32_t n_fields;
    size_t size;           /* of the struct */
    int sum_field;         /* index of the CENTS field that the manifest totals, or -1 */
    /* Decodes an object that stands at p just as it is encoded into *rec and returns where it ends; NULL for any other. */
    const char *(*straight)(const char *p, const char *end, struct arena *a, void *rec);
    /* Encodes *rec at w, where there are as many bytes as room() says at most, and returns where it ends. */
    size_t (*room)(const void *rec);
    char *(*encode)(char *w, const void *rec);
    /* Whether record_check would find nothing; without utf8 texts may hold what is none. */
    bool (*fits)(const void *rec, bool utf8);
};

/* The structs. */
#define C_TEXT struct str
#define C_ENUM uint8_t
#define C_CENTS int64_t
#define C_PPM int64_t
#define C_COUNT int64_t
#define C_DATE date_t
#define C_MONTH month_t
#define C_INSTANT instant_t
#define C_BOOL int8_t      /* 0, 1, or -1 for null */
#define C_TEXTS struct list
#define C_LIST struct list
#define RECORD(rec, entity) struct rec {
#define FIELD(rec, type, name, need, arg) C_##type name;
#define END(rec) };
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

#define RECORD(rec, entity)                  \
    extern const struct record rec##_record; \
    const char *rec##_straight(const char *p, const char *end, struct arena *a, void *to); \
    size_t rec##_room(const void *from);     \
    char *rec##_encode(char *w, const void *from); \
    bool rec##_fits(const void *from, bool utf8);
#define FIELD(rec, type, name, need, arg)
#define END(rec)
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

/* Every record with an entity, in the order of records.def, then NULL. */
extern const struct record *const record_all[];
const struct record *record_by_entity(struct str entity);

/* Sets every field to null; one field, where it stands. */
void record_init(const struct record *r, void *rec);
void field_init(const struct field *f, void *at);

/* The i-th value of a list field, cast by the caller. */
static inline void *list_at(struct list l, size_t size, uint32_t i)
{
    return (char *)l.v + size * i;
}

/* A zeroed place for one more element; the array, in the arena, doubles. *cap is 0 to start. */
void *list_grow(struct list *l, uint32_t *cap, size_t size, struct arena *a);

/* The catalogue of discrepancies, by code. */
struct catalogue_entry {
    const char *code;
    int step;              /* of the resolution guide: 1 identity, 2 synchronisation, 3 assignment, 0 none */
    enum severity severity;
    const char *title_fr, *title_en, *remedy_fr, *remedy_en;
};
extern const struct catalogue_entry catalogue[DISC_COUNT];

#endif
