#include "tests/unit/common/support.h"

#include "common/jscan.h"

static struct jscan scan_of(struct str text)
{
    return (struct jscan){.p = text.p, .end = text.p + text.len};
}

static void test_strings(void **state)
{
    (void)state;
    static const struct { struct str text, value; bool plain;
    } cases[] = {
        { TEXT("\"\""), TEXT(""), true },
        { TEXT("\"abc\""), TEXT("abc"), true },
        { TEXT(" \t\r\n\"abc\" "), TEXT("abc"), true },
        { TEXT("\"a longer text, more than sixteen bytes of it\""),
          TEXT("a longer text, more than sixteen bytes of it"), true },
        { TEXT("\"H\xc3\xa9l\xc3\xa8ne \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\""),
          TEXT("H\xc3\xa9l\xc3\xa8ne \xe2\x82\xac \xf0\x9f\x98\x80 \x7f"), true },
        { TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("\"\\/\b\f\n\r\t"), false },
        { TEXT("\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\""), TEXT("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), false },
        { TEXT("\"\\u0000\""), TEXT("\0"), false },
        { TEXT("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\""),
          TEXT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), false },
        { TEXT("\"plain at first, then \\n one\""), TEXT("plain at first, then \n one"), false },
    };
    struct arena a = {0};
    struct guard g;
    guard_open(&g);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct jscan s = scan_of(guard_text(&g, cases[i].text.p, cases[i].text.len));
        struct str value;
        assert_true(jscan_string(&s, &a, &value));
        assert_true(str_eq(value, cases[i].value));
        assert_int_equal(value.plain, cases[i].plain);
        assert_int_equal(value.p >= g.p && value.p < g.p + g.size, cases[i].plain); /* points into the input */
        assert_true(jscan_end(&s));
    }
    guard_close(&g);
    arena_free(&a);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct { struct str text; size_t at; const char *expected;
    } cases[] = {
        { TEXT(""), 0, "a value" },
        { TEXT("  "), 2, "a value" },
        { TEXT("x"), 0, "a value" },
        { TEXT("nul"), 0, "a value" },
        { TEXT("'a'"), 0, "a value" },
        { TEXT("+1"), 0, "a value" },
        { TEXT("1.x"), 0, "a number" },
        { TEXT("-"), 0, "a number" },
        { TEXT("[1 2]"), 3, "',' or ']'" },
        { TEXT("[1"), 2, "',' or ']'" },
        { TEXT("[1}"), 2, "',' or ']'" },
        { TEXT("[1,]"), 3, "a value" },
        { TEXT("[,1]"), 1, "a value" },
        { TEXT("{1:2}"), 1, "a key" },
        { TEXT("{\"a\":1,}"), 7, "a key" },
        { TEXT("{\"a\" 1}"), 5, "':'" },
        { TEXT("{\"a\":}"), 5, "a value" },
        { TEXT("{\"a\":1]"), 6, "',' or '}'" },
        { TEXT("\"abc"), 4, "a closing '\"'" },
        { TEXT("\"a\nb\""), 2, "control characters to be escaped" },
        { TEXT("\"a\0b\""), 2, "control characters to be escaped" },
        { TEXT("\"\\x\""), 1, "an escape of JSON's, surrogates in pairs" },
        { TEXT("\"\\ud800\""), 1, "an escape of JSON's, surrogates in pairs" },
        { TEXT("\"\\"), 1, "an escape of JSON's, surrogates in pairs" },
        { TEXT("\"\\\0\""), 1, "an escape of JSON's, surrogates in pairs" },
        { TEXT("\"caf\xe9\""), 4, "valid UTF-8" },
        { TEXT("\"\xed\xa0\x80\""), 1, "valid UTF-8" },
        { TEXT("\"\xe2\x82"), 1, "valid UTF-8" },
        { TEXT("1 2"), 2, "nothing behind the value" },
        { TEXT("[]]"), 2, "nothing behind the value" },
        { TEXT("01"), 1, "nothing behind the value" },
        { TEXT("1\0"), 1, "nothing behind the value" },
    };
    struct guard g;
    guard_open(&g);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str text = guard_text(&g, cases[i].text.p, cases[i].text.len);
        struct jscan s = scan_of(text);
        assert_false(jscan_skip(&s, NULL) && jscan_end(&s));
        assert_string_equal(s.fault, cases[i].expected);
        assert_int_equal(s.fault_at - text.p, cases[i].at);
    }
    guard_close(&g);
}

/* The byte at which a string needs a closer look is found wherever it lies in a step of the scanner. */
static void test_every_byte_at_every_place(void **state)
{
    (void)state;
    struct arena a = {0};
    struct guard g;
    guard_open(&g);
    for (size_t len = 1; len <= 40; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                char text[64];
                struct str value;
                memset(text, 'x', sizeof text);
                text[0] = '"';
                text[1 + at] = (char)c;
                text[1 + len] = '"';
                struct jscan s = scan_of(guard_text(&g, text, len + 2));
                bool legal = c >= ' ' && c < 0x80 && c != '"' && c != '\\';
                bool ok = jscan_string(&s, &a, &value) && jscan_end(&s);
                assert_int_equal(ok, legal);
                assert_true(!ok || (value.len == len && value.plain));
            }
    guard_close(&g);
    arena_free(&a);
}

static void test_utf8(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200000; code++) {
        char c[4];
        uint32_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (uint32_t i = 0; i < len; i++)
            c[i] = (char)((code >> 6 * (len - 1 - i) & 0x3f) | 0x80);
        static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        c[0] = (char)(lead[len] | (code >> 6 * (len - 1)));
        bool legal = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        if (jscan_utf8((struct str){c, len, false}) != legal)
            fail_msg("U+%04X", code);
        for (uint32_t cut = 1; cut < len; cut++)
            assert_false(jscan_utf8((struct str){c, cut, false}));
    }
    static const struct { struct str text; bool ok;
    } cases[] = {
        { TEXT(""), true },
        { TEXT("more than eight bytes of ASCII"), true },
        { TEXT("eight ok\xc3\xa9"), true },
        { TEXT("eight ok\xc3"), false },
        { TEXT("\xc0\x80"), false },
        { TEXT("\xc1\xbf"), false },
        { TEXT("\xe0\x9f\xbf"), false },
        { TEXT("\xf0\x8f\xbf\xbf"), false },
        { TEXT("\x80"), false },
        { TEXT("\xf8\x88\x80\x80\x80"), false },
        { TEXT("\xff"), false },
        { TEXT("\xc3\x28"), false },
        { TEXT("\xe2\x28\xa1"), false },
        { TEXT("\xe2\x82\x28"), false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(jscan_utf8(cases[i].text), cases[i].ok);
}

static void test_skip_gives_the_raw_value(void **state)
{
    (void)state;
    static const struct { struct str text; const char *raw; char next; } cases[] = {
        {TEXT(" {\"a\": [1, {\"b\": \"}]\"}]} ,"), "{\"a\": [1, {\"b\": \"}]\"}]}", ' '},
        {TEXT("-12.5e+3,"), "-12.5e+3", ','}, {TEXT("null]"), "null", ']'}, {TEXT("\"a\\\"b\":"), "\"a\\\"b\"", ':'},
        {TEXT("[]x"), "[]", 'x'}, {TEXT("true false"), "true", ' '},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct jscan s = scan_of(cases[i].text);
        struct str raw;
        assert_true(jscan_skip(&s, &raw));
        assert_true(str_is(raw, cases[i].raw));
        assert_int_equal(*s.p, cases[i].next);
    }
}

static void test_numbers_keep_their_text(void **state)
{
    (void)state;
    static const char *const numbers[] = {"0", "-0", "37.37", "1E+10", "123456789012345678901234567890.5", "-1.0e-7"};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct jscan s = scan_of(str_of(numbers[i]));
        struct str text;
        assert_true(jscan_number(&s, &text));
        assert_true(str_is(text, numbers[i]));
        assert_true(jscan_end(&s));
    }
}

static void test_peek(void **state)
{
    (void)state;
    static const struct { struct str text; enum jtype type;
    } cases[] = {
        { TEXT(" null"), J_NULL },  { TEXT("true"), J_TRUE }, { TEXT("false"), J_FALSE },
        { TEXT("\n-1"), J_NUMBER }, { TEXT("0"), J_NUMBER },  { TEXT("9"), J_NUMBER },
        { TEXT("\"\""), J_STRING }, { TEXT("[]"), J_ARRAY },  { TEXT("{}"), J_OBJECT },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct jscan s = scan_of(cases[i].text);
        enum jtype type;
        assert_true(jscan_peek(&s, &type));
        assert_int_equal(type, cases[i].type);
        assert_true(jscan_skip(&s, NULL)); /* the value is still there */
    }
}

static bool nested(uint32_t depth, const char *open, const char *close)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < depth; i++)
        buf_adds(&b, open);
    buf_adds(&b, "1");
    for (uint32_t i = 0; i < depth; i++)
        buf_adds(&b, close);
    struct jscan s = scan_of((struct str){b.p, (uint32_t)b.len, false});
    bool ok = jscan_skip(&s, NULL) && jscan_end(&s);
    buf_free(&b);
    return ok;
}

static void test_depth(void **state)
{
    (void)state;
    assert_true(nested(J_DEPTH_MAX, "[", "]"));
    assert_false(nested(J_DEPTH_MAX + 1, "[", "]"));
    assert_true(nested(J_DEPTH_MAX, "{\"a\":", "}"));
    assert_false(nested(J_DEPTH_MAX + 1, "{\"a\":", "}"));
    assert_true(nested(J_DEPTH_MAX / 2, "[{\"a\":", "}]"));
    assert_false(nested(1000000, "[", "]"));
}

/* What the walk tells, one piece a word: "a={" opens an object under key a. */
static void trace(struct str text, struct buf *b)
{
    struct arena a = {0};
    struct jscan s = scan_of(text);
    struct jwalk w = {.scan = &s, .arena = &a};
    enum jstep step;
    do {
        assert_true(jwalk_next(&w, &step));
        if (w.key.p)
            buf_addf(b, "%.*s=", (int)w.key.len, w.key.p);
        if (step == J_SCALAR)
            buf_addf(b, "%.*s ", (int)w.text.len, w.text.p);
        else if (step != J_DONE)
            buf_addf(b, "%c ", (step == J_OPEN ? "[{" : "]}")[w.type == J_OBJECT]);
    } while (step != J_DONE);
    assert_true(jscan_end(&s));
    arena_free(&a);
}

static void test_walk(void **state)
{
    (void)state;
    struct buf b = {0};
    trace(STR("{\"a\": [1, \"t\\u0077o\", {}], \"b\\n\": {\"c\": null}, \"\": [[]]}"), &b);
    assert_string_equal(buf_str(&b), "{ a=[ 1 two { } ] b\n={ c=null } =[ [ ] ] } ");
    buf_free(&b);
    trace(STR("true"), &b);
    assert_string_equal(buf_str(&b), "true ");
    buf_free(&b);
}

static void test_quote(void **state)
{
    (void)state;
    static const struct { struct str text; const char *quoted;
    } cases[] = {
        { TEXT(""), "\"\"" },
        { TEXT("abc/d\xc3\xa9\x7f"), "\"abc/d\xc3\xa9\x7f\"" },
        { TEXT("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
        { TEXT("\0\x01\x1f"), "\"\\u0000\\u0001\\u001F\"" },
        { TEXT("sixteen bytes and\nmore than sixteen \"bytes\""),
          "\"sixteen bytes and\\nmore than sixteen \\\"bytes\\\"\"" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena a = {0};
        struct buf b = {0};
        struct str back;
        jscan_quote(&b, cases[i].text);
        assert_string_equal(buf_str(&b), cases[i].quoted);
        struct jscan s = scan_of((struct str){b.p, (uint32_t)b.len, false});
        assert_true(jscan_string(&s, &a, &back));
        assert_true(str_eq(back, cases[i].text));
        buf_free(&b);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings), cmocka_unit_test(test_faults), cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_utf8), cmocka_unit_test(test_skip_gives_the_raw_value),
        cmocka_unit_test(test_numbers_keep_their_text), cmocka_unit_test(test_peek), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_walk), cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
