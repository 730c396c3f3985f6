#include "tests/unit/common/support.h"

#include "common/records.h"

static void test_all_records_in_order(void **state)
{
    (void)state;
    const struct record *const *next = record_all;
#define RECORD(rec, entity_name)                          \
    assert_string_equal(rec##_record.name, #rec);         \
    assert_string_equal(rec##_record.entity, entity_name); \
    assert_int_equal(rec##_record.size, sizeof(struct rec)); \
    if (*rec##_record.entity)                             \
        assert_ptr_equal(*next++, &rec##_record);
#define FIELD(rec, type, name, need, arg)
#define END(rec)
#include "common/records.def"
#undef RECORD
#undef FIELD
#undef END
    assert_null(*next);
}

static void test_by_entity(void **state)
{
    (void)state;
    for (const struct record *const *r = record_all; *r; r++)
        assert_ptr_equal(record_by_entity(str_of((*r)->entity)), *r);
    assert_null(record_by_entity(STR("")));
    assert_null(record_by_entity(STR_NULL));
    assert_null(record_by_entity(STR("invoice")));
    assert_null(record_by_entity(STR("invoices ")));
}

static void check_fields(const struct record *r)
{
    size_t end = 0;
    int sums = 0;
    assert_true(r->n_fields > 0);
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        char key[80];
        assert_true(f->offset >= end && f->offset < r->size);
        end = f->offset + 1;
        assert_int_equal(f->name_len, strlen(f->name));
        snprintf(key, sizeof key, ",\"%s\":", f->name);
        assert_string_equal(f->key, key);
        assert_int_equal(f->values != NULL, f->type == F_ENUM);
        assert_int_equal(f->sub != NULL, f->type == F_LIST);
        assert_int_equal(f->max > 0, f->type == F_TEXT || f->type == F_TEXTS);
        if (f->need == NEED_SUM) {
            assert_int_equal(f->type, F_CENTS);
            assert_int_equal(r->sum_field, i);
            sums++;
        }
        if (f->sub) {
            assert_string_equal(f->sub->entity, "");
            check_fields(f->sub);
        }
    }
    assert_int_equal(sums, r->sum_field >= 0);
}

static void test_fields(void **state)
{
    (void)state;
    for (const struct record *const *r = record_all; *r; r++)
        check_fields(*r);
    assert_string_equal(invoice_record.fields[invoice_record.sum_field].name, "total_cents");
    assert_string_equal(contribution_record.fields[contribution_record.sum_field].name, "amount_cents");
    assert_int_equal(company_record.sum_field, -1);
    assert_int_equal(company_record.fields[0].max, 64);
    assert_ptr_equal(contract_record.fields[contract_record.n_fields - 1].sub, &term_record);
}

static void test_init_is_null(void **state)
{
    (void)state;
    struct invoice_line line;
    struct employment employment;
    struct payroll_period period;
    memset(&line, 0x5a, sizeof line);
    memset(&employment, 0x5a, sizeof employment);
    memset(&period, 0x5a, sizeof period);
    record_init(&invoice_line_record, &line);
    record_init(&employment_record, &employment);
    record_init(&payroll_period_record, &period);
    assert_null(line.nir.p);
    assert_int_equal(line.nir.len, 0);
    assert_int_equal(line.member_type, member_type_null);
    assert_true(line.amount_cents == INT_NONE && line.base_cents == INT_NONE);
    assert_int_equal(line.birth_date, DATE_NONE);
    assert_null(employment.health_contract_ids.v);
    assert_int_equal(employment.health_contract_ids.n, 0);
    assert_int_equal(employment.exempt, -1);
    assert_int_equal(period.month, MONTH_NONE);
    assert_true(period.closed_at == INSTANT_NONE);
}

static void check_enumeration(const struct enumeration *e)
{
    assert_null(e->names[0]);
    assert_true(e->count > 1);
    for (int i = 1; i < e->count; i++) {
        char longer[80];
        assert_int_equal(enum_find(e, str_of(e->names[i])), i);
        snprintf(longer, sizeof longer, "%sx", e->names[i]);
        assert_int_equal(enum_find(e, str_of(longer)), 0);
    }
    assert_int_equal(enum_find(e, STR_NULL), 0);
    assert_int_equal(enum_find(e, STR("")), 0);
    assert_int_equal(enum_find(e, STR("HEALTH")), 0);
}

static void test_enumerations(void **state)
{
    (void)state;
#define ENUM_CHECK(e)                             \
    assert_string_equal(e##_enumeration.name, #e); \
    check_enumeration(&e##_enumeration);
    ENUMERATIONS(ENUM_CHECK)
    check_enumeration(&discrepancy_code_enumeration);
    assert_int_equal(enum_find(&product_enumeration, STR("provident")), PRODUCT_PROVIDENT);
    assert_int_equal(enum_find(&discrepancy_code_enumeration, STR("nir_mismatch")), DISC_nir_mismatch);
    assert_int_equal(enum_find(&reject_reason_enumeration, STR("unknown_company")), REJECT_UNKNOWN_COMPANY);
}

static void test_catalogue(void **state)
{
    (void)state;
    assert_null(catalogue[DISC_NULL].code);
    for (int i = 1; i < DISC_COUNT; i++) {
        const struct catalogue_entry *c = &catalogue[i];
        assert_string_equal(c->code, discrepancy_code_enumeration.names[i]);
        assert_true(c->step >= 0 && c->step <= 3);
        assert_true(c->severity > severity_null && c->severity < severity_count);
        if (!*c->title_fr || !*c->title_en || !*c->remedy_fr || !*c->remedy_en)
            fail_msg("%s lacks a text", c->code);
    }
    assert_int_equal(catalogue[DISC_stale_synchronisation].step, 2);
    assert_int_equal(catalogue[DISC_stale_synchronisation].severity, SEVERITY_WARNING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_records_in_order), cmocka_unit_test(test_by_entity), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_init_is_null), cmocka_unit_test(test_enumerations), cmocka_unit_test(test_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
