/* What a server says besides records: links to follow, cursors, and the words of a refusal, which are quoted but never
 * with a person's number or a credential. First byte: which. */
#include <curl/curl.h>

#include "extract/answer.h"
#include "extract/url.h"
#include "tests/fuzz/fuzz.h"

static const char ORIGIN[] = "https://alan.example:8443", SECRET[] = "hunter2";

static void try_link_header(struct str header)
{
    struct str next = link_header_next(header);
    if (!next.p)
        return;
    CHECK(next.p > header.p && next.p + next.len < header.p + header.len);
    CHECK(next.p[-1] == '<' && next.p[next.len] == '>' && !memchr(next.p, '>', next.len));
}

static bool is_loopback(const char *text)
{
    CURLU *url = curl_url();
    bool loopback = curl_url_set(url, CURLUPART_URL, text, 0) || url_is_loopback(url);
    curl_url_cleanup(url);
    return loopback;
}

/* What is followed stays where the credential may go. */
static void try_follow(struct str link)
{
    const struct source source = {.name = "alan", .base_url = ORIGIN};
    struct arena a = {0};
    struct err err = {0};
    struct str url;
    if (!url_follow("https://alan.example:8443/v1/list?page=1", link, &a, &url, &err)) {
        fuzz_check_err(&err);
        CHECK(!str_has_control(str_of(err.text)));
    } else {
        const size_t len = sizeof ORIGIN - 1;
        CHECK(!memchr(link.p, '\0', link.len));
        CHECK(url.len > len && strncasecmp(url.p, ORIGIN, len) == 0 && strchr("/?", url.p[len]) && url.p[len]);
        CHECK(strlen(url.p) == url.len && url_check(&source, url.p, &err) && !is_loopback(url.p));
    }
    arena_free(&a);
}

/* A cursor arrives at the server as the server gave it. */
static void try_cursor(struct str cursor)
{
    const struct source source = {.name = "alan", .base_url = "https://alan.example"};
    const struct entity_source entity = {.path = "/l", .paging = {.kind = PAGING_CURSOR, .param = "c"}};
    const struct request request = {.source = &source, .entity = &entity, .month = MONTH_NONE};
    const struct walk walk = {.entity = &entity, .number = 2, .next = cursor};
    static const char start[] = "https://alan.example/l?c=";
    struct arena a = {0};
    struct err err = {0};
    char *url;
    int len = 0;
    if (cursor.len == 0)
        return;
    CHECK(url_build(&request, &walk, false, &a, &url, &err) && strncmp(url, start, sizeof start - 1) == 0);
    CHECK(!strpbrk(url + sizeof start - 1, "&#?/ <>\"\r\n"));
    char *back = curl_easy_unescape(NULL, url + sizeof start - 1, 0, &len);
    CHECK(back && (uint32_t)len == cursor.len && memcmp(back, cursor.p, cursor.len) == 0);
    curl_free(back);
    arena_free(&a);
}

/* More digits in a row than may be told, with what may stand between those of a number left out. */
static bool tells_number(const char *p)
{
    int digits = 0;
    for (; *p; p++) {
        if (*p >= '0' && *p <= '9')
            digits++;
        else if (strncmp(p, "\xc2\xa0", 2) == 0)
            p += 1;
        else if (strncmp(p, "\xe2\x80\xaf", 3) == 0)
            p += 2;
        else if (!strchr(" .-", *p))
            digits = 0;
        if (digits > 9)
            return true;
    }
    return false;
}

static void try_refusal(struct str body)
{
    const struct source source = {.name = "alan", .max_body_bytes = 1 << 20};
    const struct ask ask = {.source = &source, .url = "https://alan.example/l", .bearer = SECRET};
    const struct answer answer = {.code = CURLE_OK, .status = 422, .body = body, .retry_after_ms = -1};
    const struct tries tries = {.failures = 1};
    struct err err = {0};
    CHECK(!answer_fail(&answer, &ask, &tries, &err) && err.kind == ERR_CONFIG);
    const char *said = strstr(err.text, "HTTP 422");
    CHECK(said && strlen(said) <= sizeof "HTTP 422: " + ANSWER_QUOTE_MAX);
    CHECK(!str_has_control(str_of(err.text)) && jscan_utf8(str_of(err.text)));
    CHECK(!strstr(said, SECRET) && !tells_number(said + sizeof "HTTP 422" - 1));
}

void fuzz_one(struct str text)
{
    switch (fuzz_select(&text, 4)) {
    case 0: try_link_header(text); break;
    case 1: try_follow(text); break;
    case 2: try_cursor(text); break;
    default: try_refusal(text);
    }
}
