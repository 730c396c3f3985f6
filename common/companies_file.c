/* A CSV of companies, each made the map that pipeline.yaml would hold, so that both are bound and checked alike. One at a
 * time: thirty thousand such maps would be the most memory that a stage ever needs. */
#include <csv.h>
#include <unistr.h>

#include "common/config_keys.h"
#include "common/file.h"
#include "common/sort.h"

/* A column: the key it gives, of the company or of the establishment. */
static const struct column {
    const char *header, *key;
    bool establishment, required, variables, number;
} columns[] = {
    {"company_id", "id", .required = true},
    {"siren", "siren", .required = true},
    {"name", "name"},
    {"headcount", "headcount", .number = true},
    {"alan_company_id", "alan_company_id"},
    {"siret", "siret", .establishment = true},
    {"payroll_company_id", "payroll_company_id", .establishment = true},
    {"payroll_token", "payroll_token", .establishment = true, .variables = true},
};
#define COLUMN_NAMES "company_id, siren, name, headcount, alan_company_id, siret, payroll_company_id, payroll_token"
enum { COLUMNS = sizeof columns / sizeof *columns, CELLS_MAX = COLUMNS };

struct row {
    uint32_t cells;                     /* where in reader.cells: as many as the header has, each with a NUL behind it */
    int line;
    int first_line;                     /* of its company */
};

struct reader {
    struct err *err;
    const char *file;
    struct buf rows, cells;             /* rows: struct row */
    int id_column;
    int line;                           /* being read */
    int row_line;                       /* where the row began; 0 between rows */
    struct arena scratch;               /* of the row, then of the company */
    struct str cell[CELLS_MAX];
    int n_cells;                        /* of the row; may be more than there is room for */
    const struct column *order[CELLS_MAX];
    int n_order;                        /* 0: the header is still to come */
    bool header_refused;                /* then rows mean nothing */
};

static bool refuse_row(const struct reader *r, const char *what, const char *name)
{
    return err_add(r->err, ERR_CONFIG, "%s:%d: %s%.60s", r->file, r->row_line, what, name);
}

/* ---- header ---- */

static const struct column *column_named(struct str header)
{
    for (int i = 0; i < COLUMNS; i++)
        if (str_is(header, columns[i].header))
            return &columns[i];
    return NULL;
}

static bool has_column(const struct reader *r, const struct column *column)
{
    for (int i = 0; i < r->n_order; i++)
        if (r->order[i] == column)
            return true;
    return false;
}

static bool read_header(struct reader *r)
{
    bool ok = r->n_cells <= CELLS_MAX || refuse_row(r, "too many columns", "");
    for (int i = 0; i < r->n_cells && i < CELLS_MAX; i++) {
        const struct column *column = column_named(r->cell[i]);
        if (!column)
            ok = refuse_row(r, "expected columns " COLUMN_NAMES ", found ", r->cell[i].p);
        else if (has_column(r, column))
            ok = refuse_row(r, "given twice: column ", column->header);
        else if (strcmp(column->key, "id") == 0)
            r->id_column = i;
        r->order[r->n_order++] = column;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].required && !has_column(r, &columns[i]))
            ok = refuse_row(r, "missing: column ", columns[i].header);
    return ok;
}

/* ---- rows ---- */

static void keep_row(struct reader *r)
{
    if (r->n_cells != r->n_order) {
        err_add(r->err, ERR_CONFIG, "%s:%d: %d cells; expected %d as in the header", r->file, r->row_line, r->n_cells,
                r->n_order);
        return;
    }
    if (!r->cell[r->id_column].len) {
        refuse_row(r, "company_id: missing", "");
        return;
    }
    const struct row row = {.cells = (uint32_t)r->cells.len, .line = r->row_line};
    buf_add(&r->rows, &row, sizeof row);
    for (int i = 0; i < r->n_cells; i++)
        buf_add(&r->cells, r->cell[i].p, r->cell[i].len + 1);
}

static const char *id_of(const struct reader *r, const struct row *row)
{
    const char *cell = r->cells.p + row->cells;
    for (int i = 0; i < r->id_column; i++)
        cell += strlen(cell) + 1;
    return cell;
}

static int by_id(const void *a, const void *b, void *reader)
{
    const struct row *x = a, *y = b;
    int order = strcmp(id_of(reader, x), id_of(reader, y));
    return order ? order : x->line - y->line;
}

static int by_first_line(const void *a, const void *b, void *unused)
{
    (void)unused;
    const struct row *x = a, *y = b;
    return x->first_line != y->first_line ? x->first_line - y->first_line : x->line - y->line;
}

/* The rows of a company put together, companies in the order of their first rows: how many there are. */
static int group_rows(struct reader *r)
{
    struct row *row = (struct row *)(void *)r->rows.p;
    size_t n = r->rows.len / sizeof *row;
    int companies = 0;
    sort_if_needed(row, n, sizeof *row, by_id, r);
    for (size_t i = 0; i < n; i++) {
        bool more = i && strcmp(id_of(r, &row[i - 1]), id_of(r, &row[i])) == 0;
        row[i].first_line = more ? row[i - 1].first_line : row[i].line;
        companies += !more;
    }
    sort_if_needed(row, n, sizeof *row, by_first_line, NULL);
    return companies;
}

static void on_cell(void *text, size_t len, void *arg)
{
    struct reader *r = arg;
    if (r->n_cells < CELLS_MAX)
        r->cell[r->n_cells] = (struct str){arena_copy(&r->scratch, text, len), (uint32_t)len, false};
    r->n_cells++;
}

static void on_row(int terminator, void *arg)
{
    struct reader *r = arg;
    (void)terminator;
    if (!r->n_order)
        r->header_refused = !read_header(r);
    else if (!r->header_refused)
        keep_row(r);
    arena_reset(&r->scratch);
    r->n_cells = 0;
    r->row_line = 0;
}

/* ---- the file ---- */

static bool check_text(const char *file, struct str text, struct err *err)
{
    const uint8_t *bad = u8_check((const uint8_t *)text.p, text.len);
    const char *at = bad ? (const char *)bad : memchr(text.p, '\0', text.len);
    if (!at)
        return true;
    int line = 1;
    for (const char *p = text.p; p < at; p++)
        line += *p == '\n';
    return err_add(err, ERR_CONFIG, "%s:%d: not UTF-8 text; save the file as CSV UTF-8", file, line);
}

/* Comma or semicolon, whichever the header line has more of. */
static unsigned char separator_of(struct str text)
{
    int commas = 0, semicolons = 0;
    for (uint32_t i = 0; i < text.len && text.p[i] != '\n'; i++) {
        commas += text.p[i] == ',';
        semicolons += text.p[i] == ';';
    }
    return semicolons > commas ? ';' : ',';
}

static bool is_blank(const char *p, size_t len)
{
    while (len && strchr(" \t\r\n", p[len - 1]))
        len--;
    return len == 0;
}

/* Line by line, so that a row knows where it began. */
static bool read_rows(struct reader *r, struct csv_parser *csv, struct str text)
{
    while (text.len) {
        const char *newline = memchr(text.p, '\n', text.len);
        size_t len = newline ? (size_t)(newline - text.p) + 1 : text.len;
        r->line++;
        if (!r->row_line)
            r->row_line = r->line;
        if (csv_parse(csv, text.p, len, on_cell, on_row, r) != len)
            break;
        if (r->row_line == r->line && is_blank(text.p, len))
            r->row_line = 0;
        text.p += len;
        text.len -= (uint32_t)len;
    }
    if (text.len || csv_fini(csv, on_cell, on_row, r) != 0)
        return err_add(r->err, ERR_CONFIG, "%s:%d: not valid CSV: a quote that does not enclose a whole cell", r->file,
                       r->row_line ? r->row_line : r->line);
    return r->n_order || err_add(r->err, ERR_CONFIG, "%s: empty; expected a header line", r->file);
}

/* ---- companies ---- */

/* A company's map as it grows, row by row. */
struct growing {
    struct yaml *company;
    struct yaml *establishments, **end; /* NULL until there is one */
};

static struct yaml *node_new(struct reader *r, enum yaml_kind kind, const char *key)
{
    struct yaml *node = arena_alloc(&r->scratch, sizeof *node);
    *node = (struct yaml){.kind = kind, .line = r->row_line, .text = "", .key = key, .file = r->file};
    return node;
}

static void add_member(struct reader *r, struct yaml *map, const struct column *column, struct str cell)
{
    struct yaml *m = yaml_scalar(&r->scratch, r->file, r->row_line, cell, column->variables);
    m->key = column->key;
    m->quoted = m->quoted && !column->number;
    m->next = map->child;
    map->child = m;
}

/* What a later line says of the company must be what the first one said. */
static void add_company_cell(struct reader *r, struct yaml *company, const struct column *column, struct str cell)
{
    const struct yaml *before = yaml_get(company, column->key);
    if (!before)
        add_member(r, company, column, cell);
    else if (!str_is(cell, before->text))
        err_add(r->err, ERR_CONFIG, "%s:%d: %s differs from line %d of the same company", r->file, r->row_line,
                column->header, before->line);
}

static struct yaml *add_establishment(struct reader *r, struct growing *g)
{
    if (!g->establishments) {
        g->establishments = node_new(r, YAML_LIST, "establishments");
        g->establishments->next = g->company->child;
        g->company->child = g->establishments;
        g->end = &g->establishments->child;
    }
    struct yaml *establishment = node_new(r, YAML_MAP, NULL);
    *g->end = establishment;
    g->end = &establishment->next;
    return establishment;
}

static void add_row(struct reader *r, struct growing *g, const struct row *row)
{
    const char *cell = r->cells.p + row->cells;
    struct yaml *establishment = NULL;
    r->row_line = row->line;
    for (int i = 0; i < r->n_order; cell += strlen(cell) + 1, i++) {
        const struct column *column = r->order[i];
        if (!*cell)
            continue;
        if (column->establishment) {
            if (!establishment)
                establishment = add_establishment(r, g);
            add_member(r, establishment, column, str_of(cell));
        } else {
            add_company_cell(r, g->company, column, str_of(cell));
        }
    }
}

static void bind_companies(struct reader *r, struct config *c, enum stage stage)
{
    companies_begin(c, group_rows(r));
    const struct row *row = (const struct row *)(const void *)r->rows.p;
    size_t n = r->rows.len / sizeof *row;
    if (!n)
        err_add(r->err, ERR_CONFIG, "%s:1: expected at least one company", r->file);
    for (size_t i = 0; i < n;) {
        int first_line = r->row_line = row[i].first_line;
        struct growing g = {.company = node_new(r, YAML_MAP, NULL)};
        for (; i < n && row[i].first_line == first_line; i++)
            add_row(r, &g, &row[i]);
        company_bind(c, g.company, stage, r->err);
        yaml_faults(g.company, r->err);
        arena_reset(&r->scratch);
    }
    buf_free(&r->rows);
    buf_free(&r->cells);
    companies_end(c, r->file, r->err);
}

/* ---- the whole ---- */

static bool read_text(struct reader *r, struct str text)
{
    struct csv_parser csv;
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        text.p += 3;
        text.len -= 3;
    }
    if (!check_text(r->file, text, r->err))
        return false;
    csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_delim(&csv, separator_of(text));
    csv_set_realloc_func(&csv, mem_realloc);
    bool ok = read_rows(r, &csv, text);
    csv_free(&csv);
    return ok;
}

void companies_file_bind(struct config *c, const char *path, enum stage stage, struct sha256 *digest, struct err *err)
{
    struct map map;
    struct err fault = {0};
    struct reader r = {.err = err, .file = path};
    if (!map_open_configured(&map, path, &fault)) {
        err_add(err, fault.kind, "companies_file: %s", fault.text);
        return;
    }
    if (map.len > YAML_BYTES_MAX) {
        err_add(err, ERR_CONFIG, "%s: larger than %d MiB", path, YAML_BYTES_MAX >> 20);
    } else {
        sha256_add(digest, map.p, map.len);
        if (read_text(&r, (struct str){map.p, (uint32_t)map.len, false}))
            bind_companies(&r, c, stage);
    }
    map_close(&map);
    buf_free(&r.rows);
    buf_free(&r.cells);
    arena_free(&r.scratch);
}
