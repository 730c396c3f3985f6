#include "tests/unit/common/support.h"

#include "load/copy.h"

static const char *row_of(const struct record *r, const void *rec, uint32_t skip, struct buf *b)
{
    b->len = 0;
    copy_row(r, rec, skip, b);
    return buf_str(b);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {{0}, "\\N"},
        {{"", 0, false}, ""},
        {{"plain", 5, true}, "plain"},
        {{"\\N", 2, false}, "\\\\N"},
        {{"a\tb\nc\rd\\", 8, false}, "a\\tb\\nc\\rd\\\\"},
        {{"\xc3\xa9\"'", 4, false}, "\xc3\xa9\"'"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        b.len = 0;
        copy_text(cases[i].in, &b);
        assert_string_equal(buf_str(&b), cases[i].out);
    }
    buf_free(&b);
}

static void nulls_of_every_type(void **state)
{
    (void)state;
    struct buf b = {0};
    struct employment e;
    record_init(&employment_record, &e);
    assert_string_equal(row_of(&employment_record, &e, 0, &b), "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t{}\t{}\t\\N\n");
    struct contract c;
    record_init(&contract_record, &c);
    assert_string_equal(row_of(&contract_record, &c, 0, &b),
                        "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t[]\n");
    struct pay_base p;
    record_init(&pay_base_record, &p);
    assert_string_equal(row_of(&pay_base_record, &p, 0, &b), "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n");
    buf_free(&b);
}

static void values_of_every_type(void **state)
{
    (void)state;
    struct buf b = {0};
    struct pay_base p = {STR("acme"), STR("job"), month_of(date_of(2026, 4, 17)), -INT64_C(9007199254740993), 0, INT_NONE};
    assert_string_equal(row_of(&pay_base_record, &p, 0, &b), "acme\tjob\t2026-04-01\t-9007199254740993\t0\t\\N\n");
    struct payroll_period period = {STR("acme"), month_of(date_of(2026, 12, 1)), PERIOD_CLOSED, 0};
    assert_string_equal(row_of(&payroll_period_record, &period, 0, &b), "acme\t2026-12-01\tclosed\t1970-01-01T00:00:00Z\n");
    struct str ids[] = {STR("p1"), {"a\"b", 3, false}, {"c\\d", 3, false}, {"e,{}\tf", 6, false}, STR("")};
    struct employment e;
    record_init(&employment_record, &e);
    e.starts_on = date_of(2020, 2, 29);
    e.health_contract_ids = (struct list){ids, 5};
    e.exempt = 1;
    assert_string_equal(row_of(&employment_record, &e, 0, &b),
                        "\\N\t\\N\t\\N\t\\N\t2020-02-29\t\\N\t\\N\t\\N\t"
                        "{\"p1\",\"a\\\\\"b\",\"c\\\\\\\\d\",\"e,{}\\tf\",\"\"}\t{}\tt\n");
    buf_free(&b);
}

/* JSON escapes a quote and a line feed once, COPY doubles the backslashes. */
static void lists_become_json(void **state)
{
    (void)state;
    struct buf b = {0};
    struct candidate found[2];
    for (int i = 0; i < 2; i++)
        record_init(&candidate_record, &found[i]);
    found[0].employee_id = (struct str){"a\"\n", 3, false};
    found[0].score = 90;
    found[1].employee_id = STR("b");
    found[1].score = 50;
    struct discrepancy d;
    record_init(&discrepancy_record, &d);
    d.candidates = (struct list){found, 2};
    const char *row = row_of(&discrepancy_record, &d, 0, &b);
    assert_string_equal(strrchr(row, '\t') + 1,
                        "[{\"employee_id\":\"a\\\\\"\\\\n\",\"matricule\":null,\"first_name\":null,\"last_name\":null,"
                        "\"birth_date\":null,\"score\":90},"
                        "{\"employee_id\":\"b\",\"matricule\":null,\"first_name\":null,\"last_name\":null,"
                        "\"birth_date\":null,\"score\":50}]\n");
    buf_free(&b);
}

static void skipped_fields_are_in_neither(void **state)
{
    (void)state;
    struct buf b = {0};
    struct pay_base p = {STR("acme"), STR("job"), month_of(date_of(2026, 4, 1)), 5, 6, 7};
    assert_string_equal(row_of(&pay_base_record, &p, 1u << 0 | 1u << 4, &b), "job\t2026-04-01\t5\t7\n");
    b.len = 0;
    copy_columns(&pay_base_record, 1u << 0 | 1u << 4, "t.", &b);
    assert_string_equal(buf_str(&b), "t.employment_id, t.month, t.gross_cents, t.t2_cents");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(nulls_of_every_type),
        cmocka_unit_test(values_of_every_type),
        cmocka_unit_test(lists_become_json),
        cmocka_unit_test(skipped_fields_are_in_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
