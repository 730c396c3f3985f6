#include "tests/unit/common/support.h"

#include "extract/value.h"

static struct arena arena;

/* One field of each kind; only its own type matters to a value. */
struct all {
    struct str text;
    struct str id;
    uint8_t product;
    int64_t cents, ppm, count;
    date_t day;
    month_t month;
    instant_t at;
    int8_t flag;
};
#define AT(field) offsetof(struct all, field)
static const struct field fields[] = {
    {.name = "text", .type = F_TEXT, .offset = AT(text), .max = 20},
    {.name = "id", .type = F_TEXT, .offset = AT(id), .max = 9},
    {.name = "product", .type = F_ENUM, .offset = AT(product), .values = &product_enumeration},
    {.name = "cents", .type = F_CENTS, .offset = AT(cents)},
    {.name = "ppm", .type = F_PPM, .offset = AT(ppm)},
    {.name = "count", .type = F_COUNT, .offset = AT(count)},
    {.name = "day", .type = F_DATE, .offset = AT(day)},
    {.name = "month", .type = F_MONTH, .offset = AT(month)},
    {.name = "at", .type = F_INSTANT, .offset = AT(at)},
    {.name = "flag", .type = F_BOOL, .offset = AT(flag)},
};

static const struct field *field_called(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    fail_msg("no field %s", name);
    return NULL;
}

enum kind { STRING, NUMBER, BOOLEAN };

static struct wire_value wire(const char *text, enum kind kind)
{
    return (struct wire_value){
        .text = str_of(text), .is_string = kind == STRING, .is_number = kind == NUMBER, .is_bool = kind == BOOLEAN,
    };
}

static bool read_value(const char *field, enum wire_type type, const struct wire_value *v, char point, struct all *ret,
                       struct faults *faults)
{
    struct field_map map = {.field = field_called(field), .type = type};
    *faults = (struct faults){0};
    return map_value(&map, v, point, &arena, ret, faults);
}

static void money_is_exact(void **state)
{
    enum { REFUSED = -1 };
    static const struct {
        enum wire_type type;
        enum kind kind;
        const char *text;
        char point;
        int64_t cents;
    } cases[] = {
        {WIRE_EUROS, NUMBER, "37.37", '.', 3737},
        {WIRE_EUROS, STRING, "37,37", ',', 3737},
        {WIRE_EUROS, STRING, "37,37", '.', 3737},
        {WIRE_EUROS, STRING, "37.37", ',', 3737},
        {WIRE_CENTS, NUMBER, "3737", '.', 3737},
        {WIRE_CENTS, STRING, "3737", '.', 3737},
        {WIRE_EUROS, NUMBER, "37.370", '.', 3737},
        {WIRE_EUROS, NUMBER, "-0.5", '.', -50},
        {WIRE_EUROS, NUMBER, "1203", ',', 120300},
        {WIRE_EUROS, NUMBER, "92233720368547758.07", '.', INT64_MAX},
        {WIRE_EUROS, STRING, "1 234,5", ',', 123450},
        {WIRE_EUROS, STRING, "1\xc2\xa0""234,56\xc2\xa0\xe2\x82\xac", ',', 123456},
        {WIRE_EUROS, STRING, "12,50 \xe2\x82\xac", ',', 1250},
        {WIRE_EUROS, NUMBER, "37.371", '.', REFUSED},
        {WIRE_EUROS, NUMBER, "3737e-2", '.', REFUSED},
        {WIRE_EUROS, NUMBER, "1E2", '.', REFUSED},
        {WIRE_EUROS, STRING, "1.234", ',', REFUSED},
        {WIRE_EUROS, STRING, "1.200", ',', REFUSED},
        {WIRE_EUROS, STRING, "1,200", '.', REFUSED},
        {WIRE_EUROS, STRING, "1.234,50", ',', REFUSED},
        {WIRE_EUROS, STRING, "1.2.3", ',', REFUSED},
        {WIRE_EUROS, STRING, "douze", ',', REFUSED},
        {WIRE_EUROS, STRING, "1,85017E+12", ',', REFUSED},
        {WIRE_EUROS, NUMBER, "92233720368547758.08", '.', REFUSED},
        {WIRE_CENTS, NUMBER, "37.37", '.', REFUSED},
        {WIRE_CENTS, NUMBER, "3737.0", '.', REFUSED},
        {WIRE_CENTS, NUMBER, "3737e0", '.', REFUSED},
        {WIRE_CENTS, NUMBER, "9223372036854775808", '.', REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct all rec;
        struct faults faults;
        struct wire_value v = wire(cases[i].text, cases[i].kind);
        bool ok = read_value("cents", cases[i].type, &v, cases[i].point, &rec, &faults);
        if (ok != (cases[i].cents != REFUSED) || (ok && rec.cents != cases[i].cents))
            fail_msg("%s: %s", cases[i].text, ok ? "another amount" : "refused");
        if (!ok && (faults.n != 1 || faults.reason != REJECT_BAD_AMOUNT))
            fail_msg("%s: reason %d", cases[i].text, faults.reason);
    }
}

static void shares_are_exact(void **state)
{
    static const struct {
        enum wire_type type;
        enum kind kind;
        const char *text;
        int64_t ppm;       /* -1: refused with this reason */
        enum reject_reason reason;
    } cases[] = {
        {WIRE_RATIO, NUMBER, "0.6", 600000, 0},
        {WIRE_RATIO, NUMBER, "0", 0, 0},
        {WIRE_RATIO, NUMBER, "1", 1000000, 0},
        {WIRE_RATIO, NUMBER, "0.000001", 1, 0},
        {WIRE_RATIO, STRING, "0,5", 500000, 0},
        {WIRE_PERCENT, STRING, "62,5 %", 625000, 0},
        {WIRE_PERCENT, NUMBER, "1.5", 15000, 0},
        {WIRE_INTEGER, NUMBER, "15000", 15000, 0},
        {WIRE_RATIO, NUMBER, "0.0000001", -1, REJECT_BAD_AMOUNT},
        {WIRE_RATIO, NUMBER, "1e-1", -1, REJECT_BAD_AMOUNT},
        {WIRE_RATIO, NUMBER, "60", -1, REJECT_OUT_OF_RANGE},
        {WIRE_PERCENT, NUMBER, "100.5", -1, REJECT_OUT_OF_RANGE},
        {WIRE_INTEGER, NUMBER, "-1", -1, REJECT_OUT_OF_RANGE},
        {WIRE_INTEGER, NUMBER, "0.6", -1, REJECT_BAD_AMOUNT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct all rec;
        struct faults faults;
        struct wire_value v = wire(cases[i].text, cases[i].kind);
        bool ok = read_value("ppm", cases[i].type, &v, ',', &rec, &faults);
        if (ok != (cases[i].ppm >= 0) || (ok && rec.ppm != cases[i].ppm) || (!ok && faults.reason != cases[i].reason))
            fail_msg("%s", cases[i].text);
    }
}

static void other_values(void **state)
{
    static const struct {
        const char *field;
        enum wire_type type;
        enum kind kind;
        const char *text;
        enum reject_reason reason;     /* 0: accepted */
    } cases[] = {
        {"text", WIRE_TEXT, STRING, "Zoé", 0},
        {"text", WIRE_TEXT, STRING, "1,85017E+12", 0},
        {"text", WIRE_TEXT, NUMBER, "4711", 0},
        {"text", WIRE_TEXT, NUMBER, "1.5", REJECT_WRONG_TYPE},
        {"text", WIRE_TEXT, BOOLEAN, "true", REJECT_WRONG_TYPE},
        {"text", WIRE_TEXT, STRING, "123456789012345678901", REJECT_TOO_LONG},
        {"id", WIRE_DIGITS, STRING, "362 521 879", 0},
        {"id", WIRE_DIGITS, STRING, "362.521.879", 0},
        {"id", WIRE_DIGITS, STRING, "362\xc2\xa0""521\xe2\x80\xaf""879", 0},
        {"id", WIRE_DIGITS, STRING, "FR 362521879", REJECT_WRONG_TYPE},
        {"id", WIRE_DIGITS, STRING, "   ", REJECT_WRONG_TYPE},
        {"id", WIRE_DIGITS, STRING, "3625218790", REJECT_TOO_LONG},
        {"product", WIRE_TEXT, STRING, "health", 0},
        {"product", WIRE_TEXT, STRING, "Health", REJECT_UNKNOWN_VALUE},
        {"product", WIRE_TEXT, NUMBER, "1", REJECT_UNKNOWN_VALUE},
        {"count", WIRE_INTEGER, NUMBER, "12", 0},
        {"count", WIRE_INTEGER, STRING, "12", 0},
        {"count", WIRE_INTEGER, NUMBER, "-1", REJECT_OUT_OF_RANGE},
        {"count", WIRE_INTEGER, NUMBER, "1.0", REJECT_WRONG_TYPE},
        {"count", WIRE_INTEGER, BOOLEAN, "true", REJECT_WRONG_TYPE},
        {"day", WIRE_DATE, STRING, "2026-12-31", 0},
        {"day", WIRE_DATE, STRING, "31/12/2026", 0},
        {"day", WIRE_DATE, STRING, "2026-12-31T00:00:00.000Z", 0},
        {"day", WIRE_DATE, STRING, "2026-12-30T23:00:00Z", REJECT_BAD_DATE},
        {"day", WIRE_DATE, STRING, "12/31/2026", REJECT_BAD_DATE},
        {"day", WIRE_DATE, STRING, "2026-02-29", REJECT_BAD_DATE},
        {"day", WIRE_DATE, BOOLEAN, "true", REJECT_WRONG_TYPE},
        {"month", WIRE_MONTH, STRING, "2026-12", 0},
        {"month", WIRE_MONTH, NUMBER, "202612", 0},
        {"month", WIRE_MONTH, STRING, "12/2026", 0},
        {"month", WIRE_MONTH, STRING, "2026-13", REJECT_BAD_DATE},
        {"month", WIRE_MONTH, STRING, "décembre", REJECT_BAD_DATE},
        {"at", WIRE_INSTANT, STRING, "2026-12-31T23:00:00+01:00", 0},
        {"at", WIRE_INSTANT, STRING, "2026-12-31", 0},
        {"at", WIRE_INSTANT, STRING, "31/12/2026", REJECT_BAD_DATE},
        {"flag", WIRE_BOOL, BOOLEAN, "true", 0},
        {"flag", WIRE_BOOL, STRING, "oui", 0},
        {"flag", WIRE_BOOL, NUMBER, "0", 0},
        {"flag", WIRE_BOOL, STRING, "peut-être", REJECT_WRONG_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct all rec;
        struct faults faults;
        struct wire_value v = wire(cases[i].text, cases[i].kind);
        bool ok = read_value(cases[i].field, cases[i].type, &v, '.', &rec, &faults);
        if (ok != (cases[i].reason == 0) || (!ok && (faults.n != 1 || faults.reason != cases[i].reason)))
            fail_msg("%s: %s: %s", cases[i].field, cases[i].text, ok ? "accepted" : faults.text[0].p);
        if (!ok && strstr(faults.text[0].p, cases[i].text))
            fail_msg("the value is repeated: %s", faults.text[0].p);
    }
}

static void what_comes_out(void **state)
{
    struct all rec = {0};
    struct faults faults;
    struct wire_value v = wire("362\xe2\x80\xaf""521 879", STRING);
    (void)state;
    assert_true(read_value("id", WIRE_DIGITS, &v, '.', &rec, &faults) && str_is(rec.id, "362521879"));
    v = wire("31/12/2026", STRING);
    assert_true(read_value("day", WIRE_DATE, &v, '.', &rec, &faults) && rec.day == date_of(2026, 12, 31));
    v = wire("04/2026", STRING);
    assert_true(read_value("month", WIRE_MONTH, &v, '.', &rec, &faults) && rec.month == 2026 * 12 + 3);
    v = wire("1970-01-02", STRING);
    assert_true(read_value("at", WIRE_INSTANT, &v, '.', &rec, &faults) && rec.at == 86400);
    v = wire("non", STRING);
    assert_true(read_value("flag", WIRE_BOOL, &v, '.', &rec, &faults) && rec.flag == 0);
}

static void nul_is_refused(void **state)
{
    struct all rec;
    struct faults faults;
    struct wire_value v = {.text = {"a\0b", 3, false}, .is_string = true};
    (void)state;
    assert_false(read_value("text", WIRE_TEXT, &v, '.', &rec, &faults));
    assert_int_equal(faults.reason, REJECT_WRONG_TYPE);
}

static void values_are_mapped_first(void **state)
{
    static struct value_map values[] = {{"03", "provident"}, {"true", "health"}, {"*", "health"}};
    struct field_map map = {.field = field_called("product"), .type = WIRE_TEXT, .values = values, .n_values = 3};
    static const struct { const char *text; enum kind kind; enum product product; } cases[] = {
        {"03", STRING, PRODUCT_PROVIDENT}, {"true", BOOLEAN, PRODUCT_HEALTH}, {"anything", STRING, PRODUCT_HEALTH},
        {"3", NUMBER, PRODUCT_HEALTH},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct all rec = {0};
        struct faults faults = {0};
        struct wire_value v = wire(cases[i].text, cases[i].kind);
        assert_true(map_value(&map, &v, '.', &arena, &rec, &faults));
        assert_int_equal(rec.product, cases[i].product);
    }
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_exact),
        cmocka_unit_test(shares_are_exact),
        cmocka_unit_test(other_values),
        cmocka_unit_test(what_comes_out),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(values_are_mapped_first),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
