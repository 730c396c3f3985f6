/* Numbers: python-stdnum's, the DSN data dictionary 2024, INSEE's public examples of SIREN and SIRET. */
#include "tests/unit/common/support.h"

#include "common/nir.h"

static void test_parse(void **state)
{
    (void)state;
    static const struct { struct str text; enum nir_status status; } cases[] = {
        {TEXT("2 95 10 99 126 111 93"), NIR_OK},
        {TEXT("295109912611193"), NIR_OK},
        {TEXT("2951099126111"), NIR_OK},
        {TEXT("2\xc2\xa0" "95 10\xe2\x80\xaf" "99.126-111 93"), NIR_OK},
        {TEXT("295109912611199"), NIR_WRONG_KEY},
        {TEXT("253072B07300470"), NIR_OK},
        {TEXT("253072b07300470"), NIR_OK},
        {TEXT("253072A07300443"), NIR_OK},
        {TEXT("253072A07300470"), NIR_WRONG_KEY},
        {TEXT("253072C07300443"), NIR_MALFORMED},
        {TEXT("6546546546546703"), NIR_MALFORMED},
        {TEXT("1,85017E+12"), NIR_MALFORMED},
        {TEXT("295109912611"), NIR_MALFORMED},
        {TEXT("29510991261119"), NIR_MALFORMED},
        {TEXT("2951O99126111"), NIR_MALFORMED},
        {TEXT("295109912G111"), NIR_MALFORMED},
        {TEXT("2951099126111/93"), NIR_MALFORMED},
        {TEXT("5951099126111"), NIR_MALFORMED},
        {TEXT("0951099126111"), NIR_MALFORMED},
        {TEXT("2951399126111"), NIR_MALFORMED},  /* month 13 */
        {TEXT("2950099126111"), NIR_MALFORMED},  /* month 00 */
        {TEXT("2952999126111"), NIR_MALFORMED},
        {TEXT("2954399126111"), NIR_MALFORMED},
        {TEXT("2952099126111"), NIR_OK},         /* unknown civil status */
        {TEXT("2953099126111"), NIR_OK},
        {TEXT("2954299126111"), NIR_OK},
        {TEXT("2955099126111"), NIR_OK},
        {TEXT("2959999126111"), NIR_OK},
        {TEXT("2951000126111"), NIR_MALFORMED},  /* department 00 */
        {TEXT("2951099000111"), NIR_MALFORMED},  /* commune 000 */
        {TEXT("2951099126000"), NIR_MALFORMED},  /* order 000 */
        {TEXT("1999999999999"), NIR_MALFORMED},
        {TEXT("2999999999999"), NIR_MALFORMED},
        {TEXT("1850175999999"), NIR_MALFORMED},  /* six trailing 9s */
        {TEXT("1850175899999"), NIR_OK},         /* five */
        {TEXT("3951099126111"), NIR_PROVISIONAL},
        {TEXT("4951099126111"), NIR_PROVISIONAL},
        {TEXT("7951099126111"), NIR_PROVISIONAL},
        {TEXT("895109912611193"), NIR_PROVISIONAL},
        {TEXT(""), NIR_ABSENT},
        {TEXT(" .-\xc2\xa0"), NIR_ABSENT},
        {{0}, NIR_ABSENT},
        {TEXT("295109912611\0"), NIR_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t nir13 = 7;
        enum nir_status status = nir_parse(cases[i].text, &nir13);
        if (status != cases[i].status)
            fail_msg("case %zu, \"%s\": status %d", i, cases[i].text.p, (int)status);
        assert_int_equal(nir13 != 0, status == NIR_OK || status == NIR_WRONG_KEY);
    }
}

static void test_key(void **state)
{
    (void)state;
    static const struct { struct str text; int key;
    } cases[] = {
        { TEXT("2951099126111"), 93 }, { TEXT("2550814168025"), 38 }, { TEXT("1840275123456"), 74 },
        { TEXT("1850175123456"), 9 },  { TEXT("1630899139139"), 97 }, { TEXT("253072B073004"), 70 },
        { TEXT("253072A073004"), 43 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t nir13;
        char whole[24];
        assert_int_equal(nir_parse(cases[i].text, &nir13), NIR_OK);
        assert_int_equal(nir_key(nir13), cases[i].key);
        snprintf(whole, sizeof whole, "%s%02d", cases[i].text.p, cases[i].key);
        assert_int_equal(nir_parse(str_of(whole), &nir13), NIR_OK);
        snprintf(whole, sizeof whole, "%s%02d", cases[i].text.p, cases[i].key % 97 + 1);
        assert_int_equal(nir_parse(str_of(whole), &nir13), NIR_WRONG_KEY);
    }
}

static uint64_t number(struct str text)
{
    uint64_t nir13;
    nir_parse(text, &nir13);
    return nir13;
}

static void test_thirteen_characters_identify(void **state)
{
    (void)state;
    assert_true(number(STR("2 95 10 99 126 111 93")) == number(STR("2951099126111")));
    assert_true(number(STR("295109912611199")) == number(STR("2951099126111"))); /* another key */
    assert_true(number(STR("253072b073004")) == number(STR("253072B073004")));
    assert_true(number(STR("253072A073004")) != number(STR("253072B073004")));
    assert_true(number(STR("2530719073004")) != number(STR("253072A073004"))); /* 2A counts as 19 in the key only */
    assert_true(number(STR("2530718073004")) != number(STR("253072B073004")));
    assert_true(number(STR("1951099126111")) != number(STR("2951099126111")));
}

static void test_birth_year(void **state)
{
    (void)state;
    assert_int_equal(nir_birth_year(number(STR("2951099126111"))), 95);
    assert_int_equal(nir_birth_year(number(STR("253072B073004"))), 53);
    assert_int_equal(nir_birth_year(number(STR("1050175123456"))), 5);
}

static void test_masked(void **state)
{
    (void)state;
    static const struct { struct str text; const char *masked; } cases[] = {
        {TEXT("1 85 01 75 123 456 09"), "1 85 ** ** *** *** **"}, {TEXT("253072B07300470"), "2 53 ** ** *** *** **"},
        {TEXT("1,85017E+12"), "* ** ** ** *** *** **"}, {TEXT("12"), "* ** ** ** *** *** **"},
        {TEXT(""), "* ** ** ** *** *** **"}, {{0}, "* ** ** ** *** *** **"},
        {TEXT("18501751234560918501751234560"), "* ** ** ** *** *** **"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[NIR_MASKED_MAX];
        assert_string_equal(nir_masked(cases[i].text, text), cases[i].masked);
    }
}

static void test_siren(void **state)
{
    (void)state;
    static const struct { struct str text; bool ok; } cases[] = {
        {TEXT("404833048"), true}, {TEXT("404833047"), false}, {TEXT("552008443"), true}, {TEXT("443121975"), true},
        {TEXT("362521879"), false}, {TEXT("404 833 048"), true}, {TEXT("40483304"), false}, {TEXT("4048330480"), false},
        {TEXT("40483304O"), false}, {TEXT(""), false}, {{0}, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char digits[10] = "untouched";
        assert_int_equal(siren_parse(cases[i].text, digits), cases[i].ok);
        assert_int_equal(siren_parse(cases[i].text, NULL), cases[i].ok);
        assert_int_equal(strcmp(digits, "untouched") != 0, cases[i].ok);
    }
    char digits[10];
    assert_true(siren_parse(STR("404 833 048"), digits));
    assert_string_equal(digits, "404833048");
}

static void test_siret(void **state)
{
    (void)state;
    static const struct { struct str text; bool ok;
    } cases[] = {
        { TEXT("73282932000074"), true },
        { TEXT("73282932000079"), false },
        { TEXT("732 829 320 00074"), true },
        { TEXT("36252187900034"), false },
        { TEXT("35600000000048"), true }, /* La Poste: the head office by Luhn, others by their digit sum */
        { TEXT("35600000049837"), true },
        { TEXT("35600000009075"), true },
        { TEXT("35600000000041"), false },
        { TEXT("7328293200007"), false },
        { TEXT("732829320000740"), false },
        { TEXT("7328293200007A"), false },
        { TEXT(""), false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (siret_parse(cases[i].text, NULL) != cases[i].ok)
            fail_msg("%s", cases[i].text.p);
    char digits[15];
    assert_true(siret_parse(STR("732 829 320 00074"), digits));
    assert_string_equal(digits, "73282932000074");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_key), cmocka_unit_test(test_thirteen_characters_identify),
        cmocka_unit_test(test_birth_year), cmocka_unit_test(test_masked), cmocka_unit_test(test_siren),
        cmocka_unit_test(test_siret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
