/* Records from lines and back: what is accepted, and every fault with its text. */
#include "tests/unit/common/support.h"

#include "common/ndjson.h"

#define PAY_BASE \
    "{\"company_id\":\"acme\",\"employment_id\":\"e1\",\"month\":\"2026-04\",\"gross_cents\":350000,\"t1_cents\":" \
    "null,\"t2_cents\":-5}"
#define TERM \
    "{\"option_code\":null,\"population_code\":\"POP\",\"category\":\"all\",\"member_type\":\"employee\"," \
    "\"valid_from\":\"2026-01-01\",\"valid_to\":null,\"basis\":\"fixed\",\"price_cents\":11710,\"rate_ppm\":null," \
    "\"employer_share_ppm\":600000,\"employer_fixed_cents\":null}"
#define CONTRACT(terms) \
    "{\"company_id\":\"acme\",\"contract_id\":\"c1\",\"product\":\"health\",\"reference\":\"SANTE0000000001\"," \
    "\"insurer_code\":\"AALAN1\",\"delegate_code\":null,\"siren\":null,\"valid_from\":\"2026-01-01\"," \
    "\"valid_to\":null,\"status\":\"active\",\"proration\":\"none\"," \
    "\"updated_at\":\"2026-04-30T12:00:00Z\",\"terms\":" terms "}"
#define EMPLOYMENT(ids, exempt) \
    "{\"company_id\":\"acme\",\"employment_id\":\"e1\",\"employee_id\":\"p1\",\"siret\":\"73282932000074\"," \
    "\"starts_on\":\"2020-01-01\",\"ends_on\":null,\"status\":null,\"category\":null," \
    "\"health_contract_ids\":" ids ",\"provident_contract_ids\":[],\"exempt\":" exempt "}"

static void test_decode(void **state)
{
    (void)state;
    struct arena a = {0};
    struct faults faults;
    struct pay_base base;
    struct contract contract;
    struct employment employment;
    assert_true(ndjson_decode(&pay_base_record, STR(PAY_BASE), &a, &base, &faults));
    assert_true(str_is(base.company_id, "acme") && base.company_id.plain);
    assert_int_equal(base.month, 2026 * 12 + 3);
    assert_int_equal(base.gross_cents, 350000);
    assert_true(base.t1_cents == INT_NONE);
    assert_int_equal(base.t2_cents, -5);

    assert_true(ndjson_decode(&contract_record, STR(CONTRACT("[" TERM "," TERM "]")), &a, &contract, &faults));
    assert_null(contract.delegate_code.p);
    assert_int_equal(contract.product, PRODUCT_HEALTH);
    assert_int_equal(contract.valid_to, DATE_NONE);
    assert_int_equal(contract.terms.n, 2);
    const struct term *term = list_at(contract.terms, sizeof *term, 1);
    assert_true(str_is(term->population_code, "POP"));
    assert_int_equal(term->price_cents, 11710);
    assert_int_equal(term->valid_from, date_of(2026, 1, 1));

    assert_true(
        ndjson_decode(&employment_record, STR(EMPLOYMENT("[\"h1\",\"h\\u0032\"]", "true")), &a, &employment, &faults));
    assert_int_equal(employment.health_contract_ids.n, 2);
    assert_true(str_is(*(struct str *)list_at(employment.health_contract_ids, sizeof(struct str), 1), "h2"));
    assert_int_equal(employment.provident_contract_ids.n, 0);
    assert_int_equal(employment.exempt, 1);
    assert_true(ndjson_decode(&employment_record, STR(EMPLOYMENT("null", "null")), &a, &employment, &faults));
    assert_int_equal(employment.health_contract_ids.n, 0);
    assert_int_equal(employment.exempt, -1);
    arena_free(&a);
}

static void test_any_order_and_spaces(void **state)
{
    (void)state;
    static const struct str lines[] = {
        TEXT(PAY_BASE),
        TEXT("{\"t2_cents\":-5,\"gross_cents\":350000,\"month\":\"2026-04\",\"employment_id\":\"e1\",\"company_id\":"
             "\"acme\"}"),
        TEXT(
            " { \"company_id\" : \"acme\" ,\t\"employment_id\":\"e1\",\r\"gross_cents\" : 350000 , \"t1_cents\" : null,"
            "\"t2_cents\": -5 , \"month\": \"2026-04\" } "),
        TEXT("{\"c\\u006fmpany_id\":\"\\u0061cme\",\"employment_id\":\"e\\u0031\",\"month\":\"2026\\u002d04\","
             "\"gross_cents\":350000,\"t2_cents\":-5}"),
    };
    struct arena a = {0};
    struct faults faults;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct pay_base base;
        struct buf b = {0};
        assert_true(ndjson_decode(&pay_base_record, lines[i], &a, &base, &faults));
        assert_int_equal(faults.n, 0);
        ndjson_encode(&pay_base_record, &base, &b);
        assert_string_equal(buf_str(&b), PAY_BASE "\n");
        buf_free(&b);
    }
    arena_free(&a);
}

/* "SECRET" stands for what no message may repeat. */
static const struct fault_case {
    const struct record *record;
    struct str line;
    enum reject_reason reason;
    const char *text[4];
} fault_cases[] = {
    { &pay_base_record, TEXT(""), REJECT_MALFORMED_JSON, { "malformed JSON at column 1: expected a value" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"SECRET\""),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 23: expected ',' or '}'" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"SECRET"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 22: expected a closing '\"'" } },
    { &pay_base_record,
      TEXT(PAY_BASE "x"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 112: expected nothing behind the value" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"a\",}"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 19: expected a string" } },
    { &pay_base_record,
      TEXT("{\"gross_cents\":-}"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 16: expected a number" } },
    { &pay_base_record,
      TEXT("{\"gross_cents\":007}"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 17: expected ',' or '}'" } },
    { &pay_base_record,
      TEXT("{\"t1_cents\":nil}"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 13: expected a value" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"caf\xe9\"}"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 19: expected valid UTF-8" } },
    { &pay_base_record, TEXT("[\"SECRET\"]"), REJECT_NOT_AN_OBJECT, { "expected an object, found an array" } },
    { &pay_base_record, TEXT("null"), REJECT_NOT_AN_OBJECT, { "expected an object, found null" } },
    { &pay_base_record, TEXT("[1"), REJECT_MALFORMED_JSON, { "malformed JSON at column 3: expected ',' or ']'" } },
    { &pay_base_record,
      TEXT("1 2"),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 3: expected nothing behind the value" } },
    { &pay_base_record,
      TEXT("{}"),
      REJECT_MISSING_FIELD,
      { "company_id: missing", "employment_id: missing", "month: missing", "gross_cents: missing" } },
    { &link_record,
      TEXT("{\"company_id\":null,\"member_id\":\"\",\"employee_id\":\"e\"}"),
      REJECT_MISSING_FIELD,
      { "company_id: expected a string, found null", "member_id: expected a text, found an empty one" } },
    { &link_record,
      TEXT("{\"company_id\":\"c\",\"member_id\":\"m\",\"employee_id\":\"e\",\"nir\":\"SECRET\"}"),
      REJECT_UNKNOWN_VALUE,
      { "unknown key: \"nir\"" } },
    { &link_record,
      TEXT("{\"company_id\":\"c\",\"member_id\":\"m\",\"employee_id\":\"e\",\"a\\u0000\\n\":[{\"SECRET\":1}]}"),
      REJECT_UNKNOWN_VALUE,
      { "unknown key: \"a\\u0000\\n\"" } },
    { &link_record,
      TEXT(
          "{\"company_id\":\"c\",\"member_id\":\"m\",\"member_id\":\"SECRET\",\"employee_id\":\"e\",\"company_id\":1}"),
      REJECT_DUPLICATE_KEY,
      { "member_id: given twice", "company_id: given twice" } },
    { &link_record,
      TEXT("{\"company_id\":1,\"member_id\":[\"SECRET\"],\"employee_id\":{\"a\":true}}"),
      REJECT_WRONG_TYPE,
      { "company_id: expected a string, found a number", "member_id: expected a string, found an array",
        "employee_id: expected a string, found an object" } },
    { &link_record,
      TEXT("{\"company_id\":\"c\",\"member_id\":\"SECRET45678901234567890123456789012345678901234567890123456789012\","
           "\"employee_id\":\"e\"}"),
      REJECT_TOO_LONG,
      { "member_id: longer than 64 bytes" } },
    { &link_record,
      TEXT("{\"company_id\":\"c\",\"member_id\":\"SECRET\\u0000\",\"employee_id\":\"e\"}"),
      REJECT_OUT_OF_RANGE,
      { "member_id: holds U+0000, which no text may" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"c\",\"employment_id\":\"e\",\"month\":\"2026-13\",\"gross_cents\":1.5,\"t1_cents\":"
           "\"1\"}"),
      REJECT_BAD_DATE,
      { "month: expected a month YYYY-MM",
        "gross_cents: expected an integer number of cents, found a decimal point or an exponent",
        "t1_cents: expected an integer number of cents, found a string" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"c\",\"employment_id\":\"e\",\"month\":\"2026-04\",\"gross_cents\":1e3,\"t1_cents\":2.0,"
           "\"t2_cents\":-0E0}"),
      REJECT_BAD_AMOUNT,
      { "gross_cents: expected an integer number of cents, found a decimal point or an exponent",
        "t1_cents: expected an integer number of cents, found a decimal point or an exponent",
        "t2_cents: expected an integer number of cents, found a decimal point or an exponent" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"c\",\"employment_id\":\"e\",\"month\":\"2026-04\",\"gross_cents\":9223372036854775808,"
           "\"t1_cents\":-9223372036854775808,\"t2_cents\":123456789012345678901234567890}"),
      REJECT_OUT_OF_RANGE,
      { "gross_cents: does not fit 64 bits", "t1_cents: does not fit 64 bits", "t2_cents: does not fit 64 bits" } },
    { &pay_base_record,
      TEXT("{\"company_id\":\"c\",\"employment_id\":\"e\",\"month\":202604,\"gross_cents\":null,\"t1_cents\":true}"),
      REJECT_WRONG_TYPE,
      { "month: expected a month YYYY-MM, found a number",
        "gross_cents: expected an integer number of cents, found null",
        "t1_cents: expected an integer number of cents, found true" } },
    { &payroll_period_record,
      TEXT("{\"company_id\":\"c\",\"month\":\"2026-04\",\"status\":\"SECRET\",\"closed_at\":\"2026-04-30\"}"),
      REJECT_UNKNOWN_VALUE,
      { "status: expected one of open, closed", "closed_at: expected an instant like 2026-04-30T12:00:00Z" } },
    { &payroll_period_record,
      TEXT("{\"company_id\":\"c\",\"month\":\"2026-04\",\"status\":null,\"closed_at\":0}"),
      REJECT_MISSING_FIELD,
      { "status: expected a string, found null",
        "closed_at: expected an instant like 2026-04-30T12:00:00Z, found a number" } },
    { &payroll_period_record,
      TEXT("{\"company_id\":\"c\",\"month\":\"2026-04\",\"status\":\"open\",\"closed_at\":\"SECRET\"}"),
      REJECT_BAD_DATE,
      { "closed_at: expected an instant like 2026-04-30T12:00:00Z" } },
    { &payroll_period_record,
      TEXT("{\"company_id\":\"c\",\"month\":\"2026-04\",\"status\":1,\"closed_at\":{\"a\":[1,}}"),
      REJECT_WRONG_TYPE,
      { "status: expected a string, found a number", "malformed JSON at column 68: expected a value" } },
    { &dispense_record,
      TEXT("{\"company_id\":\"c\",\"employee_id\":\"e\",\"ground\":\"c2s\",\"valid_from\":\"2026-02-29\",\"valid_to\":"
           "\"SECRET\"}"),
      REJECT_BAD_DATE,
      { "valid_from: expected a date YYYY-MM-DD", "valid_to: expected a date YYYY-MM-DD" } },
    { &range_record,
      TEXT("{\"entity\":\"contracts\",\"offset\":-1,\"bytes\":1.0,\"rows\":0,\"cents\":-5}"),
      REJECT_OUT_OF_RANGE,
      { "offset: expected no negative number", "bytes: expected an integer, found a decimal point or an exponent" } },
    { &contract_record,
      TEXT(CONTRACT("[" TERM ",{\"category\":\"SECRET\"}]")),
      REJECT_UNKNOWN_VALUE,
      { "terms[1].category: expected one of all, executive, non_executive", "terms[1].member_type: missing",
        "terms[1].valid_from: missing", "terms[1].basis: missing" } },
    { &contract_record,
      TEXT(CONTRACT("[" TERM ",7,null]")),
      REJECT_WRONG_TYPE,
      { "terms[1]: expected an object, found a number", "terms[2]: expected an object, found null" } },
    { &contract_record,
      TEXT(CONTRACT("{\"a\":\"SECRET\"}")),
      REJECT_WRONG_TYPE,
      { "terms: expected an array, found an object" } },
    { &contract_record,
      TEXT(CONTRACT("[" TERM ",]")),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 509: expected a value" } },
    { &contract_record,
      TEXT(CONTRACT("[" TERM " " TERM "]")),
      REJECT_MALFORMED_JSON,
      { "malformed JSON at column 509: expected ',' or ']'" } },
    { &employment_record,
      TEXT(EMPLOYMENT("[\"h1\",null,\"\",3]", "1")),
      REJECT_MISSING_FIELD,
      { "health_contract_ids[1]: expected a string, found null",
        "health_contract_ids[2]: expected a text, found an empty one",
        "health_contract_ids[3]: expected a string, found a number",
        "exempt: expected true or false, found a number" } },
    { &employment_record,
      TEXT(EMPLOYMENT("\"SECRET\"", "\"true\"")),
      REJECT_WRONG_TYPE,
      { "health_contract_ids: expected an array, found a string", "exempt: expected true or false, found a string" } },
};

static void check_fault_case(const struct fault_case *c, struct guard *g)
{
    struct arena a = {0};
    struct faults faults;
    void *rec = arena_alloc(&a, c->record->size);
    uint32_t expected = 0;
    assert_false(ndjson_decode(c->record, guard_text(g, c->line.p, c->line.len), &a, rec, &faults));
    while (expected < COUNT_OF(c->text) && c->text[expected])
        expected++;
    for (uint32_t i = 0; i < faults.n; i++) {
        assert_null(strstr(faults.text[i].p, "SECRET"));
        if (i < expected)
            assert_string_equal(faults.text[i].p, c->text[i]);
        assert_int_equal(faults.text[i].len, strlen(faults.text[i].p));
    }
    assert_int_equal(faults.n, expected);
    assert_string_equal(reject_reason_enumeration.names[faults.reason], reject_reason_enumeration.names[c->reason]);
    arena_free(&a);
}

static void test_faults(void **state)
{
    (void)state;
    struct guard g;
    guard_open(&g);
    for (size_t i = 0; i < COUNT_OF(fault_cases); i++)
        check_fault_case(&fault_cases[i], &g);
    guard_close(&g);
}

static void test_many_faults(void **state)
{
    (void)state;
    struct arena a = {0};
    struct faults faults;
    struct link link;
    struct buf b = {0};
    buf_adds(&b, "{\"company_id\":\"c\",\"member_id\":\"m\",\"employee_id\":\"e\"");
    for (int i = 0; i < 100; i++)
        buf_addf(&b, ",\"key%d\":%d", i, i);
    buf_addc(&b, '}');
    assert_false(ndjson_decode(&link_record, (struct str){b.p, (uint32_t)b.len, false}, &a, &link, &faults));
    assert_int_equal(faults.n, FAULTS_MAX);
    assert_string_equal(faults.text[FAULTS_MAX - 2].p, "unknown key: \"key30\"");
    assert_string_equal(faults.text[FAULTS_MAX - 1].p, "more faults than are listed");
    buf_free(&b);
    arena_free(&a);
}

static void test_long_fault_is_cut_between_characters(void **state)
{
    (void)state;
    struct arena a = {0};
    struct faults faults = {0};
    struct buf b = {0};
    for (int i = 0; i < 700; i++)
        buf_adds(&b, "\xc3\xa9");
    faults_add(&faults, &a, REJECT_WRONG_TYPE, "x%s", buf_str(&b));
    assert_int_equal(faults.text[0].len, 999);
    assert_true(jscan_utf8(faults.text[0]));
    buf_free(&b);
    arena_free(&a);
}

static void test_long_lists(void **state)
{
    (void)state;
    struct arena a = {0};
    struct faults faults;
    struct employment employment;
    for (uint32_t n = RECORD_LIST_MAX; n <= RECORD_LIST_MAX + 2; n += 2) {
        struct buf b = {0};
        buf_adds(
            &b, "{\"company_id\":\"acme\",\"employment_id\":\"e1\",\"employee_id\":\"p1\",\"siret\":\"73282932000074\","
                "\"starts_on\":\"2020-01-01\",\"health_contract_ids\":[");
        for (uint32_t i = 0; i < n; i++)
            buf_addf(&b, "%s\"h%u\"", i ? "," : "", i);
        buf_adds(&b, "],\"exempt\":false}");
        bool ok = ndjson_decode(&employment_record, (struct str){ b.p, (uint32_t)b.len, false }, &a, &employment,
                                &faults);
        assert_int_equal(ok, n == RECORD_LIST_MAX);
        if (ok) {
            assert_int_equal(employment.health_contract_ids.n, n);
            assert_true(
                str_is(*(struct str *)list_at(employment.health_contract_ids, sizeof(struct str), n - 1), "h99999"));
        } else {
            assert_int_equal(faults.n, 1);
            assert_int_equal(faults.reason, REJECT_TOO_LONG);
            assert_string_equal(faults.text[0].p, "health_contract_ids: more than 100000 elements");
        }
        buf_free(&b);
    }
    arena_free(&a);
}

static void test_no_part_of_a_line_is_a_line(void **state)
{
    (void)state;
    static const struct { const struct record *record; struct str line; } cases[] = {
        {&pay_base_record, TEXT(PAY_BASE)}, {&contract_record, TEXT(CONTRACT("[" TERM "]"))},
        {&employment_record, TEXT(EMPLOYMENT("[\"h1\"]", "true"))},
    };
    struct guard g;
    guard_open(&g);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (uint32_t len = 0; len <= cases[i].line.len; len++) {
            struct arena a = {0};
            struct faults faults;
            void *rec = arena_alloc(&a, cases[i].record->size);
            bool ok = ndjson_decode(cases[i].record, guard_text(&g, cases[i].line.p, len), &a, rec, &faults);
            assert_int_equal(ok, len == cases[i].line.len);
            assert_true(ok || faults.reason == REJECT_MALFORMED_JSON);
            arena_free(&a);
        }
    guard_close(&g);
}

static void test_encode(void **state)
{
    (void)state;
    struct buf b = {0};
    struct employee employee;
    struct contract contract;
    record_init(&employee_record, &employee);
    employee.company_id = STR("acme");
    employee.employee_id = str_of("e\"1\\");
    employee.first_name = str_of("H\xc3\xa9l\xc3\xa8ne\n/");
    employee.last_name = str_of("");
    employee.birth_date = date_of(1985, 1, 31);
    ndjson_encode(&employee_record, &employee, &b);
    assert_string_equal(
        buf_str(&b),
        "{\"company_id\":\"acme\",\"employee_id\":\"e\\\"1\\\\\",\"matricule\":null,\"nir\":null,\"ntt\":null,"
        "\"first_name\":\"H\xc3\xa9l\xc3\xa8ne\\n/\",\"last_name\":\"\",\"birth_name\":null,"
        "\"birth_date\":\"1985-01-31\"}\n");
    b.len = 0;
    record_init(&contract_record, &contract);
    ndjson_encode(&contract_record, &contract, &b);
    assert_non_null(strstr(buf_str(&b), "\"product\":null,"));
    assert_non_null(strstr(buf_str(&b), "\"terms\":[]}\n"));
    buf_free(&b);
}

static void expect_faults(const struct record *r, const void *rec, enum reject_reason reason, const char *text)
{
    struct arena a = {0};
    struct faults faults = {0};
    struct buf b = {0};
    assert_int_equal(record_check(r, rec, &a, &faults), *text == '\0');
    for (uint32_t i = 0; i < faults.n; i++)
        buf_addf(&b, "%s%s", i ? "; " : "", faults.text[i].p);
    assert_string_equal(buf_str(&b), text);
    assert_true(faults.n == 0 || faults.reason == reason);
    b.len = 0;
    assert_int_equal(ndjson_encode_fit(r, rec, &b), *text == '\0');
    assert_int_equal(b.len == 0, *text != '\0');
    buf_free(&b);
    arena_free(&a);
}

/* A text that is no UTF-8 by itself, wherever it stands in its line. */
static void test_check_utf8(void **state)
{
    (void)state;
    static const char *const cut[] = {"caf\xc3", "\xa9", "\xe2\x82", "\xf0\x9f\x99", "\xff", "\xed\xa0\x80"};
    static const char padding[] = "0123456789012345678901234567890123456789";
    struct employee employee;
    record_init(&employee_record, &employee);
    employee.employee_id = STR("e1");
    employee.last_name = str_of("N\xc3\xa9");
    for (uint32_t length = 1; length < sizeof padding; length++) {
        employee.company_id = (struct str){padding, length, false};
        employee.birth_name = str_of("\xc3\xa9");
        expect_faults(&employee_record, &employee, 0, "");
        for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
            employee.birth_name = str_of(cut[i]);
            expect_faults(&employee_record, &employee, REJECT_WRONG_TYPE, "birth_name: expected valid UTF-8");
        }
    }
}

static void test_check(void **state)
{
    (void)state;
    struct pay_base base = {STR("acme"), STR("e1"), 2026 * 12 + 3, 350000, INT_NONE, -5};
    struct str ids[] = {STR("h1"), STR(""), str_of("\xff")};
    struct term terms[2];
    struct contract contract;
    struct employment employment;
    struct range range = {STR("contracts"), 0, -1, INT_NONE, 0};
    expect_faults(&pay_base_record, &base, 0, "");
    base.company_id = STR_NULL;
    base.employment_id = str_of("12345678901234567890123456789012345678901234567890123456789012345");
    base.month = 999 * 12;
    base.gross_cents = INT_NONE;
    expect_faults(&pay_base_record, &base, REJECT_MISSING_FIELD,
                  "company_id: missing; employment_id: longer than 64 bytes; month: expected a year from 1000 to 9999; "
                  "gross_cents: missing");
    expect_faults(&range_record, &range, REJECT_OUT_OF_RANGE, "bytes: expected no negative number; rows: missing");

    record_init(&employment_record, &employment);
    employment.company_id = (struct str){"a\0b", 3, false};
    employment.employment_id = str_of("\xed\xa0\x80");
    employment.employee_id = STR("");
    employment.siret = STR("73282932000074");
    employment.starts_on = date_of(9999, 12, 31) + 1;
    employment.status = employment_status_count;
    employment.health_contract_ids = (struct list){ids, 3};
    expect_faults(
        &employment_record, &employment, REJECT_OUT_OF_RANGE,
        "company_id: holds U+0000, which no text may; employment_id: expected valid UTF-8; employee_id: missing; "
        "starts_on: expected a year from 1000 to 9999; status: no value of employment_status; "
        "health_contract_ids[1]: missing; health_contract_ids[2]: expected valid UTF-8");

    struct arena a = {0};
    struct faults faults;
    assert_true(ndjson_decode(&contract_record, STR(CONTRACT("[]")), &a, &contract, &faults));
    expect_faults(&contract_record, &contract, 0, "");
    record_init(&term_record, &terms[0]);
    terms[0].category = CATEGORY_ALL;
    terms[0].member_type = MEMBER_CHILD;
    terms[0].basis = BASIS_T1;
    terms[0].valid_from = date_of(2026, 1, 1);
    terms[1] = terms[0];
    terms[1].basis = basis_null;
    terms[1].rate_ppm = -1;
    contract.terms = (struct list){terms, 2};
    contract.updated_at = (instant_t)date_of(9999, 12, 31) * 86400 + 86400;
    expect_faults(&contract_record, &contract, REJECT_BAD_DATE,
                  "updated_at: expected a year from 1000 to 9999; terms[1].basis: missing; "
                  "terms[1].rate_ppm: expected no negative number");
    contract.terms.n = RECORD_LIST_MAX + 1;
    contract.updated_at = INSTANT_NONE;
    expect_faults(&contract_record, &contract, REJECT_TOO_LONG, "terms: more than 100000 elements");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_any_order_and_spaces),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_long_fault_is_cut_between_characters),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_no_part_of_a_line_is_a_line),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
