/* The cases of tests/data/json/parsing.tsv. */
#ifndef TESTS_UNIT_COMMON_JSON_CASES_H
#define TESTS_UNIT_COMMON_JSON_CASES_H

#include "tests/unit/common/support.h"

struct json_case {
    char name[100];
    bool accept;
    struct buf text;
};

static inline void json_case_piece(struct buf *b, const char *piece)
{
    char *rest = NULL;
    long times = strtol(piece, &rest, 10);
    const char *text = rest > piece && *rest == '*' ? rest + 1 : piece;
    for (long i = text > piece ? times : 1; i > 0; i--)
        for (const char *p = text; *p; p++) {
            if (*p != '%') {
                buf_addc(b, *p);
                continue;
            }
            char hex[3] = {p[1], p[1] ? p[2] : '\0', '\0'};
            buf_addc(b, (char)strtoul(hex, &rest, 16));
            assert_ptr_equal(rest, hex + 2);
            p += 2;
        }
}

/* Calls check for every case; the number of cases. */
static inline int json_cases(void (*check)(const struct json_case *c, void *arg), void *arg)
{
    FILE *f = fopen("tests/data/json/parsing.tsv", "r");
    char *line = NULL;
    size_t size = 0;
    int n = 0;
    assert_non_null(f);
    while (getline(&line, &size, f) > 0) {
        if (*line == '#')
            continue;
        struct json_case c = {0};
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        snprintf(c.name, sizeof c.name, "%s", strsep(&rest, "\t"));
        const char *verdict = strsep(&rest, "\t");
        assert_non_null(verdict);
        c.accept = strcmp(verdict, "accept") == 0;
        while (rest)
            json_case_piece(&c.text, strsep(&rest, "\t"));
        buf_reserve(&c.text, 1);
        check(&c, arg);
        buf_free(&c.text);
        n++;
    }
    free(line);
    fclose(f);
    return n;
}

#endif
