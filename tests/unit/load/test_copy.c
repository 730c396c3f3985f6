#include "tests/unit/common/support.h"

#include "load/copy.h"

/* Bytes given in C, with their number. */
#define BYTES(literal) literal, sizeof(literal) - 1

static void expect(struct buf *b, const char *bytes, size_t n)
{
    assert_int_equal(b->len, n);
    assert_memory_equal(b->p, bytes, n);
    b->len = 0;
}

#define NIL "\xff\xff\xff\xff"

static void a_stream_has_header_and_trailer(void **state)
{
    (void)state;
    struct buf b = {0};
    copy_header(&b);
    expect(&b, BYTES("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"));
    copy_trailer(&b);
    expect(&b, BYTES("\xff\xff"));
    buf_free(&b);
}

static void single_values(void **state)
{
    (void)state;
    struct buf b = {0};
    copy_values(5, &b);
    expect(&b, BYTES("\0\5"));
    copy_text(STR_NULL, &b);
    expect(&b, BYTES(NIL));
    copy_text(STR(""), &b);
    expect(&b, BYTES("\0\0\0\0"));
    copy_text((struct str){"\\N\t\n\xc3\xa9", 6, false}, &b);
    expect(&b, BYTES("\0\0\0\6\\N\t\n\xc3\xa9"));
    copy_integer(INT_NONE, &b);
    expect(&b, BYTES(NIL));
    copy_integer(-2, &b);
    expect(&b, BYTES("\0\0\0\10\xff\xff\xff\xff\xff\xff\xff\xfe"));
    copy_bool(true, &b);
    copy_bool(false, &b);
    expect(&b, BYTES("\0\0\0\1\1\0\0\0\1\0"));
    copy_dates(NULL, 0, &b);
    expect(&b, BYTES("\0\0\0\14\0\0\0\0\0\0\0\0\0\0\4\72"));
    const date_t days[] = {date_of(2000, 1, 1), date_of(1999, 12, 31)};
    copy_dates(days, 2, &b);
    expect(&b, BYTES("\0\0\0\44\0\0\0\1\0\0\0\0\0\0\4\72\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\0\0\0\0\4\xff\xff\xff\xff"));
    buf_free(&b);
}

static void nulls_of_every_type(void **state)
{
    (void)state;
    struct buf b = {0};
    struct employment e;
    record_init(&employment_record, &e);
    copy_row(&employment_record, &e, 0, 0, &b);
#define NO_TEXTS "\0\0\0\14\0\0\0\0\0\0\0\0\0\0\0\31"
    expect(&b, BYTES("\0\13" NIL NIL NIL NIL NIL NIL NIL NIL NO_TEXTS NO_TEXTS NIL));
    struct payroll_period p;
    record_init(&payroll_period_record, &p);
    copy_row(&payroll_period_record, &p, 0, 0, &b);
    expect(&b, BYTES("\0\4" NIL NIL NIL NIL));
    struct contract c;
    record_init(&contract_record, &c);
    copy_row(&contract_record, &c, (1u << 12) - 1, 0, &b);
    expect(&b, BYTES("\0\1\0\0\0\3\1[]"));
    buf_free(&b);
}

static void values_of_every_type(void **state)
{
    (void)state;
    struct buf b = {0};
    struct pay_base p = {STR("acme"), STR("job"), month_of(date_of(2000, 2, 17)), -INT64_C(9007199254740993), 0, INT_NONE};
    copy_row(&pay_base_record, &p, 0, 0, &b);
    expect(&b, BYTES("\0\6\0\0\0\4acme\0\0\0\3job\0\0\0\4\0\0\0\37\0\0\0\10\xff\xdf\xff\xff\xff\xff\xff\xff"
                     "\0\0\0\10\0\0\0\0\0\0\0\0" NIL));
    struct payroll_period period = {STR("a"), month_of(date_of(2000, 1, 1)), PERIOD_CLOSED, 946684801};
    copy_row(&payroll_period_record, &period, 0, 0, &b);
    expect(&b, BYTES("\0\4\0\0\0\1a\0\0\0\4\0\0\0\0\0\0\0\6closed\0\0\0\10\0\0\0\0\0\17\x42\x40"));
    struct str ids[] = {STR("p1"), {"a\"\\", 3, false}, STR("")};
    struct employment e;
    record_init(&employment_record, &e);
    e.health_contract_ids = (struct list){ids, 3};
    e.exempt = 1;
    copy_row(&employment_record, &e, ((1u << 8) - 1) | 1u << 9, 0, &b);
    expect(&b, BYTES("\0\2\0\0\0\45\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\3\0\0\0\1\0\0\0\2p1\0\0\0\3a\"\\\0\0\0\0\0\0\0\1\1"));
    buf_free(&b);
}

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
    copy_row(&discrepancy_record, &d, (1u << (discrepancy_record.n_fields - 1)) - 1, 0, &b);
    static const char json[] = "[{\"employee_id\":\"a\\\"\\n\",\"matricule\":null,\"first_name\":null,\"last_name\":null,"
                               "\"birth_date\":null,\"score\":90},"
                               "{\"employee_id\":\"b\",\"matricule\":null,\"first_name\":null,\"last_name\":null,"
                               "\"birth_date\":null,\"score\":50}]";
    const size_t head = sizeof "\0\1\0\0\0\0\1" - 1;
    assert_int_equal((unsigned char)b.p[5], sizeof json);   /* with the version in front */
    assert_int_equal(b.p[6], 1);
    assert_int_equal(b.len, head + sizeof json - 1);
    assert_memory_equal(b.p + head, json, sizeof json - 1);
    buf_free(&b);
}

static void skipped_fields_are_in_neither(void **state)
{
    (void)state;
    struct buf b = {0};
    struct pay_base p = {STR("acme"), STR("job"), month_of(date_of(2000, 1, 1)), 5, 6, 7};
    copy_row(&pay_base_record, &p, 1u << 0 | 1u << 4, 1, &b);
    copy_bool(true, &b);
    expect(&b, BYTES("\0\5\0\0\0\3job\0\0\0\4\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\5\0\0\0\10\0\0\0\0\0\0\0\7\0\0\0\1\1"));
    copy_columns(&pay_base_record, 1u << 0 | 1u << 4, "t.", &b);
    assert_string_equal(buf_str(&b), "t.employment_id, t.month, t.gross_cents, t.t2_cents");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_has_header_and_trailer),
        cmocka_unit_test(single_values),
        cmocka_unit_test(nulls_of_every_type),
        cmocka_unit_test(values_of_every_type),
        cmocka_unit_test(lists_become_json),
        cmocka_unit_test(skipped_fields_are_in_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
