#include "tests/unit/common/support.h"

#include "common/digest.h"

static void digests_are_those_of_the_standard(void **state)
{
    (void)state;
    const struct { const char *text, *sha256, *xxh128; } of[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "99aa06d3014798d86001c324468d497f"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "06b05ab6733a618578af5f94892f3950"},
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        char sha256[SHA256_HEX + 1], xxh128[XXH128_HEX + 1];
        sha256_of(of[i].text, strlen(of[i].text), sha256);
        xxh128_of(of[i].text, strlen(of[i].text), xxh128);
        assert_string_equal(sha256, of[i].sha256);
        assert_string_equal(xxh128, of[i].xxh128);
    }
}

/* Whatever the pieces. */
static void a_digest_taken_on_the_way_is_that_of_the_whole(void **state)
{
    (void)state;
    char bytes[5000], expected[2][SHA256_HEX + 1], found[2][SHA256_HEX + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    sha256_of(bytes, sizeof bytes, expected[0]);
    xxh128_of(bytes, sizeof bytes, expected[1]);
    for (size_t step = 1; step <= sizeof bytes; step = step * 3 + 1) {
        struct sha256 sha256;
        struct xxh128 xxh128;
        sha256_start(&sha256);
        xxh128_start(&xxh128);
        for (size_t at = 0; at < sizeof bytes; at += step) {
            size_t len = step < sizeof bytes - at ? step : sizeof bytes - at;
            sha256_add(&sha256, bytes + at, len);
            xxh128_add(&xxh128, bytes + at, len);
        }
        sha256_end(&sha256, found[0]);
        xxh128_end(&xxh128, found[1]);
        assert_string_equal(found[0], expected[0]);
        assert_string_equal(found[1], expected[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standard),
        cmocka_unit_test(a_digest_taken_on_the_way_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
