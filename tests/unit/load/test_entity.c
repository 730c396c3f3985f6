#include "tests/unit/common/support.h"

#include "load/load.h"

static struct arena arena;
static const month_t PERIOD = 2026 * 12 + 3, FIRST = 2026 * 12 + 1;

static const char *value(const struct record *r, const char *name)
{
    for (int i = 0; i < n_entities; i++) {
        struct variable variables[ENTITY_VARIABLES];
        if (entities[i].record != r)
            continue;
        entity_variables(&entities[i], PERIOD, FIRST, PERIOD, &arena, variables);
        return entity_value(variables, name);
    }
    return NULL;
}

static void every_record_of_transform_has_its_place(void **state)
{
    (void)state;
    assert_int_equal(n_entities, ENTITIES);
    for (int i = 0; i < n_entities; i++)
        assert_non_null(record_by_entity(str_of(entities[i].record->entity)));
}

/* What is looked up as a field must be one: a key that is misspelt would match every row with every other. */
static void keys_are_fields(void **state)
{
    (void)state;
    for (int i = 0; i < n_entities; i++) {
        const struct record *r = entities[i].record;
        struct variable variables[ENTITY_VARIABLES];
        int words = 1, terms = 0;
        for (const char *p = entities[i].key; *p; p++)
            words += *p == ' ';
        entity_variables(&entities[i], PERIOD, FIRST, PERIOD, &arena, variables);
        for (const char *p = entity_value(variables, "match"); p; p = strstr(p + 1, " = "))
            terms += *p == ' ';
        assert_int_equal(terms, words);
        assert_string_equal(r->fields[0].name, "company_id");
    }
}

static void nullable_keys_can_be_hashed(void **state)
{
    (void)state;
    assert_string_equal(value(&pay_base_record, "match"),
                        "t.company_id = n.company_id AND t.employment_id = n.employment_id AND t.month = n.month");
    assert_non_null(strstr(value(&contribution_record, "match"),
                           "coalesce(t.employment_id, '') = coalesce(n.employment_id, '')"));
    assert_non_null(strstr(value(&contribution_record, "picked"),
                           "coalesce(n.employment_id, t.employment_id) AS employment_id"));
    assert_non_null(strstr(value(&contribution_record, "picked"), ", n.member_id,"));
}

static void scopes(void **state)
{
    (void)state;
    assert_string_equal(value(&contribution_record, "month"), "t.payroll_month = '2026-04-01'");
    assert_non_null(strstr(value(&contribution_record, "whole"),
                           "WHERE NOT c.closed AND NOT c.based AND t.payroll_month = '2026-04-01'"));
    assert_non_null(strstr(value(&contribution_record, "touched"), "WHERE t.payroll_month = '2026-04-01'"));
    assert_non_null(strstr(value(&pay_base_record, "whole"),
                           "(t.month BETWEEN '2026-02-01' AND '2026-04-01' "
                           "OR t.month IN (SELECT month FROM new_pay_base))"));
    assert_string_equal(value(&contribution_record, "present"),
                        "c.loads AND NOT c.closed AND t.payroll_month = '2026-04-01'");
    assert_string_equal(value(&contribution_record, "gone"), "t.payroll_month = '2026-04-01' AND true");
    assert_non_null(strstr(value(&affiliation_record, "whole"), "WHERE true AND NOT c.based AND true"));
    assert_string_equal(value(&affiliation_record, "present"), "c.loads AND true AND true");
    assert_string_equal(value(&pay_base_record, "gone"), "t.month BETWEEN '2026-02-01' AND '2026-04-01' AND true");
    assert_non_null(strstr(value(&invoice_record, "gone"),
                           "t.billing_month BETWEEN '2026-02-01' AND '2026-04-01' AND NOT EXISTS"));
    assert_non_null(strstr(value(&invoice_record, "whole"), "WHERE true AND NOT c.based AND true"));
    assert_string_equal(value(&contribution_record, "sum"), "amount_cents");
}

static void months_of_records(void **state)
{
    (void)state;
    const struct pay_base base = {.month = PERIOD};
    const struct invoice invoice = {.billing_month = FIRST};
    const struct member member = {0};
    for (int i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        if (e->record == &pay_base_record)
            assert_int_equal(entity_month(e, &base), PERIOD);
        if (e->record == &invoice_record)
            assert_int_equal(entity_month(e, &invoice), FIRST);
        if (e->record == &member_record)
            assert_int_equal(entity_month(e, &member), MONTH_NONE);
    }
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_of_transform_has_its_place),
        cmocka_unit_test(keys_are_fields),
        cmocka_unit_test(nullable_keys_can_be_hashed),
        cmocka_unit_test(scopes),
        cmocka_unit_test(months_of_records),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
