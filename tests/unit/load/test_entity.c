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
    assert_string_equal(value(&contribution_record, "scope"),
                        "c.loads AND NOT c.same AND NOT c.closed AND t.payroll_month = '2026-04-01'");
    assert_string_equal(value(&contribution_record, "gone"), "t.payroll_month = '2026-04-01' AND true");
    assert_string_equal(value(&affiliation_record, "scope"), "c.loads AND NOT c.same");
    assert_string_equal(value(&pay_base_record, "gone"), "t.month BETWEEN '2026-02-01' AND '2026-04-01' AND true");
    assert_non_null(strstr(value(&invoice_record, "gone"),
                           "t.billing_month BETWEEN '2026-02-01' AND '2026-04-01' AND NOT EXISTS"));
    assert_string_equal(value(&invoice_record, "scope"), "c.loads AND NOT c.same");
    assert_string_equal(value(&contribution_record, "sum"), "amount_cents");
    assert_string_equal(value(&member_record, "sum"), "0");
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
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
