#include "extract/shared.h"

#include <stdlib.h>

#include "extract/map_csv.h"

enum { SHARED_BYTES_MAX = 1 << 30 };

struct shared_row {
    int company;
    uint32_t from, len;    /* in the text */
    int64_t line;
};

struct shared_file {
    struct request request;        /* company null */
    const char *path;
    struct map map;
    struct str text;
    struct csv_header header;
    struct shared_row *row;        /* by company, then line */
    uint32_t n, cap;
    struct err *fault;             /* NULL: usable */
    bool absent;
};

/* ---- reading ---- */

struct indexing {
    struct shared *shared;
    struct shared_file *file;
    const struct config *config;
    bool strangers, bound;
    struct mapping *m;
    struct faults faults;
};

static void reject_stranger(struct indexing *x, const struct csv_row *row)
{
    struct faults faults = {0};
    struct origin origin = {
        .entity = x->file->request.entity, .source = str_of(x->file->path), .raw = row->raw, .line = row->line,
    };
    faults_add(&faults, x->m->arena, REJECT_UNKNOWN_COMPANY,
               "column %d, company_id: no such company in the configuration", x->file->header.company_column + 1);
    x->m->read++;
    x->m->rejected++;
    map_reject(x->m, &origin, &faults);
}

static bool on_row(void *arg, const struct csv_row *row)
{
    struct indexing *x = arg;
    struct shared_file *f = x->file;
    if (!x->bound) {
        x->bound = csv_header_bind(f->request.source, f->request.entity, row, &x->shared->arena, &f->header,
                                   &x->faults);
        return x->bound;
    }
    struct str id = STR_NULL;
    if (f->header.company_column < row->n)
        id = row->cell[f->header.company_column];
    const struct config_company *found = config_find(x->config, id);
    if (!found) {
        if (x->strangers)
            reject_stranger(x, row);
        return map_goes_on(x->m, &x->faults);
    }
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 1024;
        f->row = mem_realloc(f->row, sizeof *f->row * f->cap);
    }
    f->row[f->n++] = (struct shared_row){(int)(found - x->config->companies), (uint32_t)(row->raw.p - f->text.p),
                                         row->raw.len, row->line};
    return true;
}

static int by_company(const void *a, const void *b)
{
    const struct shared_row *x = a, *y = b;
    int order = (x->company > y->company) - (x->company < y->company);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void unusable(struct shared *s, struct shared_file *f, enum err_kind kind, const char *text)
{
    f->fault = arena_alloc(&s->arena, sizeof *f->fault);
    err_set(f->fault, kind, "%s: %s", f->path, text);
}

/* The file as a whole is one reject, of no company. */
static void reject_file(struct indexing *x, const char *fault)
{
    struct shared_file *f = x->file;
    struct origin origin = {.entity = f->request.entity, .source = str_of(f->path), .line = INT_NONE};
    if (x->faults.n == 0)
        faults_add(&x->faults, x->m->arena, fault[0] ? REJECT_WRONG_TYPE : REJECT_MISSING_FIELD, "%s",
                   fault[0] ? fault : "line 1: a header expected, the file is empty");
    map_reject(x->m, &origin, &x->faults);
    unusable(x->shared, f, ERR_DATA, x->faults.text[0].p);
}

static bool file_read(struct indexing *x, struct err *err)
{
    struct shared_file *f = x->file;
    const struct source *source = f->request.source;
    char fault[CSV_FAULT_MAX] = "";
    if (!map_open(&f->map, f->path, err)) {
        if (err->kind != ERR_NO_INPUT)
            return false;
        f->absent = f->request.optional;
        if (!f->request.optional)
            unusable(x->shared, f, ERR_NO_INPUT, "the file is missing");
        err->kind = ERR_NONE;
        return true;
    }
    if (f->map.len > SHARED_BYTES_MAX) {
        unusable(x->shared, f, ERR_DATA, "the file is larger than 1 GiB");
        return true;
    }
    struct str bytes = {f->map.p, (uint32_t)f->map.len, false};
    bool ok = csv_decode(bytes, source, &x->shared->arena, &f->text, fault) &&
              csv_rows(f->text, source->separator, 1, on_row, x, fault);
    if (!ok || !x->bound)
        reject_file(x, fault);
    if (f->n)
        qsort(f->row, f->n, sizeof *f->row, by_company);
    return true;
}

static int list_files(struct shared *s, const struct source *sources, int n_sources, month_t first, month_t last)
{
    int n = 0;
    for (int i = 0; i < n_sources; i++) {
        for (int e = 0; e < sources[i].n_entities; e++) {
            const struct entity_source *entity = &sources[i].entities[e];
            for (month_t m = source_first_month(entity, first); entity->shared && m <= last; m++) {
                bool monthly = entity->per & PER_MONTH;
                struct request q = {&sources[i], entity, NULL, NULL, monthly ? m : MONTH_NONE,
                                    sources[i].optional || (monthly && m < first)};
                if (s->file) {
                    s->file[n].request = q;
                    s->file[n].path = source_fill(entity->path, &q, false, &s->arena);
                }
                n++;
                if (!monthly)
                    break;
            }
        }
    }
    return n;
}

bool shared_read(struct shared *s, const struct source *sources, int n_sources, const struct config *config,
                 month_t first, month_t last, bool strangers, struct mapping *m, struct err *err)
{
    *s = (struct shared){.n = list_files(s, sources, n_sources, first, last)};
    if (s->n == 0)
        return true;
    s->file = arena_alloc(&s->arena, sizeof *s->file * (size_t)s->n);
    list_files(s, sources, n_sources, first, last);
    bool ok = true;
    for (int i = 0; s->file && i < s->n && ok; i++) {
        struct indexing x = {
            .shared = s, .file = &s->file[i], .config = config, .strangers = strangers, .m = m,
        };
        ok = file_read(&x, err);
    }
    if (!ok)
        shared_free(s);
    return ok;
}

/* ---- one company's rows ---- */

struct replaying {
    struct mapping *m;
    const struct request *request;
    const struct shared_file *file;
};

static bool replay(void *arg, const struct csv_row *row)
{
    struct replaying *x = arg;
    csv_row_map(x->m, x->request, &x->file->header, str_of(x->file->path), row);
    return true;
}

static uint32_t first_row(const struct shared_file *f, int company)
{
    uint32_t low = 0, high = f->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (f->row[middle].company < company)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void shared_map(const struct shared *s, int company, struct mapping *m)
{
    for (int i = 0; i < s->n; i++) {
        const struct shared_file *f = &s->file[i];
        struct request q = f->request;
        struct replaying x = {m, &q, f};
        char fault[CSV_FAULT_MAX];
        q.company = m->company;
        for (uint32_t r = first_row(f, company); r < f->n && f->row[r].company == company; r++) {
            struct str raw = {f->text.p + f->row[r].from, f->row[r].len, false};
            csv_rows(raw, q.source->separator, f->row[r].line, replay, &x, fault);
        }
    }
}

enum sync_outcome shared_outcome(const struct shared *s, const struct source *source, const struct err **ret_fault)
{
    enum sync_outcome outcome = sync_outcome_null;
    for (int i = 0; i < s->n; i++) {
        const struct shared_file *f = &s->file[i];
        if (f->request.source != source)
            continue;
        if (f->fault) {
            *ret_fault = f->fault;
            return SYNC_FAILED;
        }
        if (outcome != SYNC_OK)
            outcome = f->absent ? SYNC_ABSENT : SYNC_OK;
    }
    return outcome;
}

void shared_free(struct shared *s)
{
    for (int i = 0; i < s->n; i++) {
        free(s->file[i].row);
        map_close(&s->file[i].map);
    }
    arena_free(&s->arena);
    *s = (struct shared){0};
}
