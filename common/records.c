#include "common/records.h"

#include "common/mem.h"

/* ---- enumerations ---- */

#define ENUM_TEXT(c, text) [c] = text,
#define ENUM_DEFINE(e)                                                  \
    static const char *const e##_names[e##_count] = {ENUM_##e(ENUM_TEXT)}; \
    const struct enumeration e##_enumeration = {#e, e##_names, e##_count};
ENUMERATIONS(ENUM_DEFINE)
#undef ENUM_DEFINE
#undef ENUM_TEXT

static const char *const discrepancy_code_names[DISC_COUNT] = {
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) [DISC_##code] = #code,
#include "common/catalogue.def"
#undef CODE
};
const struct enumeration discrepancy_code_enumeration = {"discrepancy_code", discrepancy_code_names, DISC_COUNT};

int enum_find(const struct enumeration *e, struct str s)
{
    for (int i = 1; i < e->count; i++)
        if (str_is(s, e->names[i]))
            return i;
    return 0;
}

const struct catalogue_entry catalogue[DISC_COUNT] = {
#define CODE(code, step, severity, title_fr, title_en, remedy_fr, remedy_en) \
    [DISC_##code] = {#code, step, SEVERITY_##severity, title_fr, title_en, remedy_fr, remedy_en},
#include "common/catalogue.def"
#undef CODE
};

/* ---- fields ---- */

/* What a field's arg is: a limit, an enumeration or a nested record. */
#define ARG_TEXT(arg) .max = arg
#define ARG_TEXTS(arg) .max = arg
#define ARG_ENUM(arg) .values = &arg##_enumeration
#define ARG_LIST(arg) .sub = &arg##_record
#define ARG_CENTS(arg) .max = arg
#define ARG_PPM(arg) .max = arg
#define ARG_COUNT(arg) .max = arg
#define ARG_DATE(arg) .max = arg
#define ARG_MONTH(arg) .max = arg
#define ARG_INSTANT(arg) .max = arg
#define ARG_BOOL(arg) .max = arg

#define RECORD(rec, entity) static const struct field rec##_fields[] = {
#define FIELD(rec, ftype, fname, fneed, arg)                                                      \
    {.name = #fname, .type = F_##ftype, .need = NEED_##fneed, .offset = offsetof(struct rec, fname), \
     .name_len = sizeof #fname - 1, .key = ",\"" #fname "\":", ARG_##ftype(arg)},
#define END(rec) };
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

/* Where each field stands in its record, so that the one to total can be named at compile time. */
#define RECORD(rec, entity) enum {
#define FIELD(rec, type, name, need, arg) rec##_at_##name,
#define END(rec) rec##_n_fields };
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

#define SUM_REQ(rec, name)
#define SUM_OPT(rec, name)
#define SUM_SUM(rec, name) + 1 + rec##_at_##name
#define RECORD(rec, entity) enum { rec##_sum_field = -1
#define FIELD(rec, type, name, need, arg) SUM_##need(rec, name)
#define END(rec) };
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

/* ---- records ---- */

/* The decoder marks the fields that it has seen in 64 bits. */
#define RECORD(rec, entity)                                                                      \
    _Static_assert(rec##_n_fields <= 64, "more fields than the decoder can mark");               \
    const struct record rec##_record = {#rec, entity, rec##_fields, rec##_n_fields, sizeof(struct rec), \
                                        rec##_sum_field, rec##_straight, rec##_room, rec##_encode, rec##_fits};
#define FIELD(rec, type, name, need, arg)
#define END(rec)
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END

const struct record *const record_all[] = {
    &company_record, &contract_record, &invoice_record, &invoice_line_record, &affiliation_record,
    &employee_record, &employment_record, &payroll_contract_record, &pay_base_record, &payroll_period_record,
    &link_record, &dispense_record, &closed_period_record, &posted_record, &contribution_record,
    &discrepancy_record, &coverage_record, &invoice_control_record, &member_record, &reject_record,
    NULL
};

#define RECORD(rec, entity) + (sizeof entity > 1)
#define FIELD(rec, type, name, need, arg)
#define END(rec)
_Static_assert(sizeof record_all / sizeof *record_all - 1 == 0
#include "common/records.def"
               , "record_all has not exactly the records with an entity");
#undef RECORD
#undef FIELD
#undef END

const struct record *record_by_entity(struct str entity)
{
    for (const struct record *const *r = record_all; *r; r++)
        if (str_is(entity, (*r)->entity))
            return *r;
    return NULL;
}

void field_init(const struct field *f, void *at)
{
    switch (f->type) {
    case F_TEXT: *(struct str *)at = STR_NULL; break;
    case F_ENUM: *(uint8_t *)at = 0; break;
    case F_CENTS: case F_PPM: case F_COUNT: *(int64_t *)at = INT_NONE; break;
    case F_DATE: *(date_t *)at = DATE_NONE; break;
    case F_MONTH: *(month_t *)at = MONTH_NONE; break;
    case F_INSTANT: *(instant_t *)at = INSTANT_NONE; break;
    case F_BOOL: *(int8_t *)at = -1; break;
    case F_TEXTS: case F_LIST: *(struct list *)at = (struct list){0}; break;
    }
}

void record_init(const struct record *r, void *rec)
{
    memset(rec, 0, r->size);
    for (uint32_t i = 0; i < r->n_fields; i++)
        field_init(&r->fields[i], (char *)rec + r->fields[i].offset);
}

void *list_grow(struct list *l, uint32_t *cap, size_t size, struct arena *a)
{
    if (l->n == *cap) {
        uint32_t more = *cap ? *cap : 1;
        l->v = arena_extend(a, l->v, *cap * size, more * size);
        *cap += more;
    }
    return list_at(*l, size, l->n++);
}
