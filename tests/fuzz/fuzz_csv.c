/* A CSV file of a company: every encoding, separator and decimal point, against a reader of RFC 4180 that knows nothing
 * of libcsv. First byte: which of the sources below. */
#include "extract/csv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

static const char CONFIG[] =
    "version: 1\n"
    "sources:\n"
    "  s0: { use: csv, entity: pay_bases, path: \"i/{company_id}/bases-{month}.csv\", ignore: [note] }\n"
    "  s1: { use: csv, entity: employees, path: \"i/{company_id}/a.csv\", separator: \",\", encoding: utf-8 }\n"
    "  s2: { use: csv, entity: employments, path: \"i/{company_id}/b.csv\", separator: tab, encoding: windows-1252 }\n"
    "  s3: { use: csv, entity: invoice_lines, path: \"i/{siren}.csv\", separator: \"|\", decimal: \".\", "
    "ignore: [\"*\"] }\n"
    "  s4: { use: csv, entity: payroll_contracts, path: \"i/{siret}.csv\", encoding: windows-1252 }\n"
    WORLD_COMPANIES;

/* ---- another reader ---- */

struct other {
    struct str text;
    uint32_t at;
    char separator;
    bool good;
};

static char other_next(const struct other *o)
{
    return o->at < o->text.len ? o->text.p[o->at] : '\n';
}

static bool other_blank(const struct other *o, char c)
{
    return (c == ' ' || c == '\t') && c != o->separator;
}

/* One cell into b. Blanks around it do not count, inside quotes everything does, "" is a quote. */
static void other_cell(struct other *o, struct buf *b)
{
    b->len = 0;
    while (other_blank(o, other_next(o)))
        o->at++;
    if (other_next(o) == '"') {
        for (o->at++; o->good; o->at++) {
            if (o->at >= o->text.len)
                o->good = false;
            else if (o->text.p[o->at] != '"')
                buf_addc(b, o->text.p[o->at]);
            else if (++o->at < o->text.len && o->text.p[o->at] == '"')
                buf_addc(b, '"');
            else
                break;
        }
        while (other_blank(o, other_next(o)))
            o->at++;
        return;
    }
    while (other_next(o) != o->separator && other_next(o) != '\n' && other_next(o) != '\r') {
        if (other_next(o) == '"')
            o->good = false;
        buf_addc(b, o->text.p[o->at++]);
    }
    while (b->len && other_blank(o, b->p[b->len - 1]))
        b->len--;
}

static void other_skip_ends(struct other *o)
{
    while (o->at < o->text.len && strchr("\r\n", o->text.p[o->at]))
        o->at++;
}

/* Every cell of a row that was given is what the other reader finds, rows without content aside. */
static bool compare_row(void *arg, const struct csv_row *row)
{
    struct other *o = arg;
    struct buf cell = {0};
    bool content = false;
    CHECK(row->n > 0 && row->n <= CSV_COLUMNS_MAX && row->line > 0);
    while (!content) {
        uint32_t start;
        other_skip_ends(o);
        start = o->at;
        CHECK(o->at < o->text.len);
        for (;;) {
            other_cell(o, &cell);
            content = content || cell.len > 0;
            if (!o->good || other_next(o) != o->separator)
                break;
            o->at++;
        }
        if (content)
            o->at = start;
    }
    for (int i = 0; i < row->n && o->good; i++) {
        other_cell(o, &cell);
        CHECK(cell.len == row->cell[i].len && (cell.len == 0 || memcmp(cell.p, row->cell[i].p, cell.len) == 0));
        if (i + 1 < row->n) {
            CHECK(other_next(o) == o->separator);
            o->at++;
        }
    }
    CHECK(o->good && strchr("\r\n", other_next(o)));
    buf_free(&cell);
    return true;
}

static void try_rows(const struct source *source, struct str bytes)
{
    struct arena a = {0};
    struct str text;
    char fault[CSV_FAULT_MAX] = "";
    if (csv_decode(bytes, source, &a, &text, fault)) {
        CHECK(jscan_utf8(text) && !(text.len && memchr(text.p, '\0', text.len)));
        struct other o = {text, 0, source->separator, true};
        if (!csv_rows(text, source->separator, 1, compare_row, &o, fault))
            CHECK(strncmp(fault, "line ", 5) == 0);
    } else {
        CHECK(strncmp(fault, "line ", 5) == 0);
    }
    arena_free(&a);
}

void fuzz_one(struct str text)
{
    const struct world *w = world_get(CONFIG);
    const struct source *source = &w->sources[fuzz_select(&text, w->n_sources)];
    const struct page page = {.number = 1, .url = STR("i/acme/file.csv"), .total = INT_NONE, .body = text};
    try_rows(source, text);
    int last = w->n_requests;
    while (w->requests[--last].source != source)
        CHECK(last > 0);
    world_map(w, &w->requests[last], &page);
}
