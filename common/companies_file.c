/* A CSV of companies as the list of maps that pipeline.yaml would hold, so that both are bound and checked alike. */
#include <csv.h>
#include <search.h>
#include <unistr.h>

#include "common/config_keys.h"
#include "common/file.h"

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

struct reader {
    struct arena *arena;
    struct err *err;
    const char *file;
    int line;                           /* being read */
    int row_line;                       /* where the row began; 0 between rows */
    struct str cell[CELLS_MAX];
    int n_cells;                        /* of the row; may be more than there is room for */
    const struct column *order[CELLS_MAX];
    int n_order;                        /* 0: the header is still to come */
    bool header_refused;                /* then rows mean nothing */
    struct yaml *list, **end;
    void *by_id;                        /* tsearch tree of struct company_node */
};

struct company_node {
    const char *id;
    struct yaml *company;
    struct yaml *establishments, **end; /* NULL until there is one */
};

static bool refuse_row(const struct reader *r, const char *what, const char *name)
{
    return err_add(r->err, ERR_CONFIG, "%s:%d: %s%.60s", r->file, r->row_line, what, name);
}

static struct yaml *node_new(const struct reader *r, enum yaml_kind kind, const char *key)
{
    struct yaml *node = arena_alloc(r->arena, sizeof *node);
    *node = (struct yaml){.kind = kind, .line = r->row_line, .text = "", .key = key, .file = r->file};
    return node;
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
        r->order[r->n_order++] = column;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].required && !has_column(r, &columns[i]))
            ok = refuse_row(r, "missing: column ", columns[i].header);
    return ok;
}

/* ---- rows ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct company_node *)a)->id, ((const struct company_node *)b)->id);
}

static struct str cell_of(const struct reader *r, const char *key)
{
    for (int i = 0; i < r->n_order; i++)
        if (r->order[i] && strcmp(r->order[i]->key, key) == 0)
            return r->cell[i];
    return STR_NULL;
}

/* The company of the row, made when it is the first of its id. NULL without an id. */
static struct company_node *row_company(struct reader *r)
{
    struct company_node wanted = {.id = cell_of(r, "id").p};
    if (!wanted.id || !*wanted.id) {
        refuse_row(r, "company_id: missing", "");
        return NULL;
    }
    void *found = tfind(&wanted, &r->by_id, by_id);
    if (found)
        return *(struct company_node **)found;
    struct company_node *node = arena_alloc(r->arena, sizeof *node);
    node->id = wanted.id;
    node->company = node_new(r, YAML_MAP, NULL);
    *r->end = node->company;
    r->end = &node->company->next;
    if (!tsearch(node, &r->by_id, by_id)) {
        err_set(r->err, ERR_TRY_AGAIN, "%s: out of memory", r->file);
        return NULL;
    }
    return node;
}

static void add_member(const struct reader *r, struct yaml *map, const struct column *column, struct str cell)
{
    struct yaml *m = yaml_scalar(r->arena, r->file, r->row_line, cell, column->variables);
    m->key = column->key;
    m->quoted = m->quoted && !column->number;
    m->next = map->child;
    map->child = m;
}

/* What a later line says of the company must be what the first one said. */
static void add_company_cell(const struct reader *r, struct yaml *company, const struct column *column, struct str cell)
{
    const struct yaml *before = yaml_get(company, column->key);
    if (!before)
        add_member(r, company, column, cell);
    else if (!str_is(cell, before->text))
        err_add(r->err, ERR_CONFIG, "%s:%d: %s differs from line %d of the same company", r->file, r->row_line,
                column->header, before->line);
}

static struct yaml *add_establishment(const struct reader *r, struct company_node *node)
{
    if (!node->establishments) {
        node->establishments = node_new(r, YAML_LIST, "establishments");
        node->establishments->next = node->company->child;
        node->company->child = node->establishments;
        node->end = &node->establishments->child;
    }
    struct yaml *establishment = node_new(r, YAML_MAP, NULL);
    *node->end = establishment;
    node->end = &establishment->next;
    return establishment;
}

static void read_row(struct reader *r)
{
    if (r->n_cells != r->n_order) {
        err_add(r->err, ERR_CONFIG, "%s:%d: %d cells; expected %d as in the header", r->file, r->row_line, r->n_cells,
                r->n_order);
        return;
    }
    struct company_node *node = row_company(r);
    struct yaml *establishment = NULL;
    for (int i = 0; i < r->n_order && node; i++) {
        const struct column *column = r->order[i];
        if (!column || !r->cell[i].len)
            continue;
        if (column->establishment) {
            if (!establishment)
                establishment = add_establishment(r, node);
            add_member(r, establishment, column, r->cell[i]);
        } else {
            add_company_cell(r, node->company, column, r->cell[i]);
        }
    }
}

static void on_cell(void *text, size_t len, void *arg)
{
    struct reader *r = arg;
    if (r->n_cells < CELLS_MAX)
        r->cell[r->n_cells] = (struct str){arena_copy(r->arena, text, len), (uint32_t)len, false};
    r->n_cells++;
}

static void on_row(int terminator, void *arg)
{
    struct reader *r = arg;
    (void)terminator;
    if (!r->n_order)
        r->header_refused = !read_header(r);
    else if (!r->header_refused)
        read_row(r);
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

static void keep(void *node)
{
    (void)node; /* it is the arena's */
}

static struct yaml *read_text(const char *path, struct str text, struct arena *a, struct err *err)
{
    struct csv_parser csv;
    struct reader r = {.arena = a, .err = err, .file = arena_copy(a, path, strlen(path))};
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
        text.p += 3;
        text.len -= 3;
    }
    if (!check_text(path, text, err))
        return NULL;
    r.row_line = 1;
    r.list = node_new(&r, YAML_LIST, NULL);
    r.end = &r.list->child;
    r.row_line = 0;
    csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    csv_set_delim(&csv, separator_of(text));
    csv_set_realloc_func(&csv, mem_realloc);
    bool ok = read_rows(&r, &csv, text);
    csv_free(&csv);
    tdestroy(r.by_id, keep);
    return ok ? r.list : NULL;
}

struct yaml *companies_file_read(const char *path, struct arena *a, struct sha256 *digest, struct err *err)
{
    struct map map;
    struct err fault = {0};
    if (!map_open_configured(&map, path, &fault)) {
        err_add(err, fault.kind, "companies_file: %s", fault.text);
        return NULL;
    }
    struct yaml *list = NULL;
    if (map.len > YAML_BYTES_MAX) {
        err_add(err, ERR_CONFIG, "%s: larger than %d MiB", path, YAML_BYTES_MAX >> 20);
    } else {
        sha256_add(digest, map.p, map.len);
        list = read_text(path, (struct str){map.p, (uint32_t)map.len, false}, a, err);
    }
    map_close(&map);
    return list;
}
