#include "extract/csv.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/jscan.h"

/* By so much libcsv's room for a cell grows: its own 128 bytes would move a cell of megabytes at each of them. */
enum { CELL_STEP_BYTES = 64 << 10 };

/* ---- encoding ---- */

/* Windows-1252, 0x80..0x9f; 0 where it has no character. Everything above is as in ISO 8859-1.
 * https://encoding.spec.whatwg.org/index-windows-1252.txt */
static const uint16_t windows_1252[32] = {
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e,
    0x0178,
};

static int64_t line_of(struct str s, uint32_t at)
{
    int64_t line = 1;
    for (uint32_t i = 0; i < at; i++)
        line += s.p[i] == '\n';
    return line;
}

static bool from_windows_1252(struct str s, struct arena *a, struct str *ret, char *fault)
{
    char *text = arena_alloc(a, (size_t)s.len * 3 + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        unsigned c = (unsigned char)s.p[i];
        if (c >= 0x80 && c < 0xa0)
            c = windows_1252[c - 0x80];
        if (c == 0) {
            snprintf(fault, CSV_FAULT_MAX, "line %lld: a byte that is no Windows-1252", (long long)line_of(s, i));
            return false;
        }
        if (c < 0x80) {
            text[n++] = (char)c;
        } else if (c < 0x800) {
            text[n++] = (char)(0xc0 | c >> 6);
            text[n++] = (char)(0x80 | (c & 0x3f));
        } else {
            text[n++] = (char)(0xe0 | c >> 12);
            text[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            text[n++] = (char)(0x80 | (c & 0x3f));
        }
    }
    *ret = (struct str){text, n, false};
    return true;
}

/* The first line that is not UTF-8. */
static int64_t bad_line(struct str s)
{
    int64_t line = 1;
    for (uint32_t from = 0; from < s.len; line++) {
        const char *end = memchr(s.p + from, '\n', s.len - from);
        uint32_t len = end ? (uint32_t)(end - s.p) - from + 1 : s.len - from;
        if (!jscan_utf8((struct str){s.p + from, len, false}))
            return line;
        from += len;
    }
    return line;
}

bool csv_decode(struct str bytes, const struct source *source, struct arena *a, struct str *ret, char *fault)
{
    bool utf16 = bytes.len >= 2 && (memcmp(bytes.p, "\xff\xfe", 2) == 0 || memcmp(bytes.p, "\xfe\xff", 2) == 0);
    bool bom = bytes.len >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0;
    const char *nul = bytes.len ? memchr(bytes.p, '\0', bytes.len) : NULL;
    if (utf16 || nul) {
        snprintf(fault, CSV_FAULT_MAX, "line %lld: not text in UTF-8 or Windows-1252; export it as CSV UTF-8",
                 nul && !utf16 ? (long long)line_of(bytes, (uint32_t)(nul - bytes.p)) : 1);
        return false;
    }
    struct str text = bom ? (struct str){bytes.p + 3, bytes.len - 3, false} : bytes;
    bool utf8 = jscan_utf8(text);
    if (utf8 && (!source->windows_1252 || bom)) {
        *ret = text;
        return true;
    }
    if (source->windows_1252 || (source->encoding_auto && !bom))
        return from_windows_1252(text, a, ret, fault);
    snprintf(fault, CSV_FAULT_MAX, "line %lld: not UTF-8", (long long)bad_line(text));
    return false;
}

/* ---- rows ---- */

struct reading {
    struct csv_parser parser;
    struct buf cells;                  /* the bytes of the row's cells */
    size_t end[CSV_COLUMNS_MAX];       /* of each cell in it */
    struct str cell[CSV_COLUMNS_MAX];
    int n;
    const char *fault;
    bool blank, ended;
};

static void on_cell(void *p, size_t len, void *arg)
{
    struct reading *r = arg;
    if (r->n == CSV_COLUMNS_MAX) {
        r->fault = "too many cells";
        return;
    }
    buf_add(&r->cells, p, len);
    r->end[r->n++] = r->cells.len;
    r->blank = r->blank && len == 0;
}

static void on_row(int c, void *arg)
{
    (void)c;
    struct reading *r = arg;
    if (r->ended)
        r->fault = "a carriage return inside a row";
    r->ended = true;
}

static void row_reset(struct reading *r)
{
    r->cells.len = 0;
    r->n = 0;
    r->ended = false;
    r->blank = true;
}

/* One line into the parser; the last one ends its row even without an end of line. */
static bool feed(struct reading *r, struct str line, bool last)
{
    bool ok = csv_parse(&r->parser, line.p, line.len, on_cell, on_row, r) == line.len;
    if (ok && last)
        ok = csv_fini(&r->parser, on_cell, on_row, r) == 0;
    if (ok && r->ended && r->parser.pstate != 0) /* another row has begun */
        r->fault = "a carriage return inside a row";
    if (!ok)
        r->fault = "not CSV: a quote stands where none may, or is not closed";
    return !r->fault;
}

static bool give_row(struct reading *r, int64_t line, struct str raw, bool (*row)(void *arg, const struct csv_row *row),
                     void *arg)
{
    size_t from = 0;
    for (int i = 0; i < r->n; i++) {
        r->cell[i] = (struct str){r->cells.len ? r->cells.p + from : "", (uint32_t)(r->end[i] - from), false};
        from = r->end[i];
    }
    while (raw.len && (raw.p[raw.len - 1] == '\n' || raw.p[raw.len - 1] == '\r'))
        raw.len--;
    return r->blank || row(arg, &(struct csv_row){r->cell, r->n, line, raw});
}

static bool is_blank(struct str line)
{
    for (uint32_t i = 0; i < line.len; i++)
        if (!strchr(" \t\r\n", line.p[i]))
            return false;
    return true;
}

/* libcsv tells neither line nor place, so it is fed line by line: a row ends on the line on which it calls on_row, and
 * begins on the first line behind the row before it that is not blank. */
static bool read_rows(struct reading *r, struct str text, int64_t first_line,
                      bool (*row)(void *arg, const struct csv_row *row), void *arg, char *fault)
{
    int64_t line = first_line, row_line = first_line;
    uint32_t row_from = 0;
    bool open = false;
    for (uint32_t from = 0, len; from < text.len; from += len, line++) {
        const char *end = memchr(text.p + from, '\n', text.len - from);
        len = end ? (uint32_t)(end - text.p) - from + 1 : text.len - from;
        struct str fed = {text.p + from, len, false};
        if (!open) {
            row_from = from;
            row_line = line;
            open = !is_blank(fed);
        }
        if (!feed(r, fed, from + len == text.len)) {
            snprintf(fault, CSV_FAULT_MAX, "line %lld: %s", (long long)row_line, r->fault);
            return false;
        }
        if (!r->ended)
            continue;
        if (!give_row(r, row_line, (struct str){text.p + row_from, from + len - row_from, false}, row, arg))
            return false;
        row_reset(r);
        open = false;
    }
    return true;
}

bool csv_rows(struct str text, char separator, int64_t first_line, bool (*row)(void *arg, const struct csv_row *row),
              void *arg, char *fault)
{
    struct reading *r = mem_alloc(sizeof *r);
    csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI); /* cannot fail with these options */
    csv_set_realloc_func(&r->parser, mem_realloc);
    csv_set_blk_size(&r->parser, CELL_STEP_BYTES);
    csv_set_delim(&r->parser, (unsigned char)separator);
    row_reset(r);
    fault[0] = '\0';
    bool ok = read_rows(r, text, first_line, row, arg, fault);
    csv_free(&r->parser);
    buf_free(&r->cells);
    free(r);
    return ok;
}
