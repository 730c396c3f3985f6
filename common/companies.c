/* The companies of pipeline.yaml or companies_file: bound, and checked against each other. */
#include <stdlib.h>

#include "common/config_keys.h"
#include "common/sort.h"

enum { ID_BYTES_MAX = 64, NAME_BYTES_MAX = 200, HEADCOUNT_MAX = 10000000 };

static const struct key company_keys[] = {
    {"id", KEY_ID, offsetof(struct config_company, id), .required = true},
    {"siren", KEY_SIREN, offsetof(struct config_company, siren), .required = true},
    {"name", KEY_TEXT, offsetof(struct config_company, name), .max = NAME_BYTES_MAX},
    {"headcount", KEY_COUNT, offsetof(struct config_company, headcount), .max = HEADCOUNT_MAX},
    {"alan_company_id", KEY_TEXT, offsetof(struct config_company, alan_company_id), .max = ID_BYTES_MAX},
    {"previous_sirens", KEY_LIST},
    {"establishments", KEY_LIST},
};

static const struct key previous_siren_keys[] = {
    {"siren", KEY_SIREN, offsetof(struct config_previous_siren, siren), .required = true},
    {"until", KEY_DATE, offsetof(struct config_previous_siren, until)},
};

static const struct key establishment_keys[] = {
    {"siret", KEY_SIRET, offsetof(struct config_establishment, siret), .required = true},
    {"payroll_company_id", KEY_TEXT, offsetof(struct config_establishment, payroll_company_id), .max = ID_BYTES_MAX},
    {"payroll_token", KEY_SECRET, offsetof(struct config_establishment, payroll_token)},
};

#define KEYS(table) (table), sizeof(table) / sizeof *(table)

bool company_id_valid(const char *id)
{
    size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return n >= 1 && n <= ID_BYTES_MAX && !id[n] && id[0] != '.' && id[0] != '-';
}

/* The elements of a list of maps; anything else in it is a fault. *ret_n counts the maps. */
static struct yaml *maps_of(const struct yaml *list, int *ret_n, struct err *err)
{
    *ret_n = 0;
    if (!list || list->kind != YAML_LIST)
        return NULL;
    for (const struct yaml *m = list->child; m; m = m->next) {
        if (m->kind == YAML_MAP)
            ++*ret_n;
        else
            yaml_fault(err, m, "expected a map of keys in this list");
    }
    return list->child;
}

static bool siret_belongs(const struct config_company *co, const char *siret)
{
    bool belongs = strncmp(siret, co->siren, 9) == 0;
    for (int i = 0; i < co->n_previous_sirens && !belongs; i++)
        belongs = co->previous_sirens[i].siren && strncmp(siret, co->previous_sirens[i].siren, 9) == 0;
    return belongs;
}

static void bind_previous_sirens(struct arena *a, struct yaml *list, struct config_company *co, struct err *err)
{
    struct yaml *m = maps_of(list, &co->n_previous_sirens, err);
    co->previous_sirens = arena_alloc(a, (size_t)co->n_previous_sirens * sizeof *co->previous_sirens);
    for (int i = 0; m; m = m->next)
        if (m->kind == YAML_MAP)
            keys_bind(a, m, KEYS(previous_siren_keys), &co->previous_sirens[i++], err);
}

/* Ids stand in the paths of URLs and files, where these lead elsewhere. */
static void refuse_dots(struct yaml *map, const char *key, const char *id, struct err *err)
{
    if (id && (!strcmp(id, ".") || !strcmp(id, "..")))
        yaml_fault(err, yaml_get(map, key), "expected an id, found a step of a path");
}

static void bind_establishment(struct arena *a, struct yaml *node, enum stage stage, const struct config_company *co,
                               struct config_establishment *e, struct err *err)
{
    if (stage != STAGE_EXTRACT)
        keys_forget(node, "payroll_token");
    keys_bind(a, node, KEYS(establishment_keys), e, err);
    e->line = node->line;
    refuse_dots(node, "payroll_company_id", e->payroll_company_id, err);
    if (e->payroll_token && !*e->payroll_token)
        yaml_fault(err, yaml_get(node, "payroll_token"), "empty");
    if (e->siret && co->siren && !siret_belongs(co, e->siret))
        yaml_fault(err, yaml_get(node, "siret"),
                   "%s does not begin with the company's SIREN %s, nor with one of its previous_sirens", e->siret,
                   co->siren);
}

void company_bind(struct config *c, struct yaml *node, enum stage stage, struct err *err)
{
    struct arena *a = &c->of_companies;
    struct config_company *co = &c->companies[c->n_companies++];
    keys_bind(a, node, KEYS(company_keys), co, err);
    co->line = node->line;
    refuse_dots(node, "alan_company_id", co->alan_company_id, err);
    if (!co->alan_company_id)
        co->alan_company_id = co->id;
    bind_previous_sirens(a, yaml_get(node, "previous_sirens"), co, err);
    struct yaml *m = maps_of(yaml_get(node, "establishments"), &co->n_establishments, err);
    co->establishments = arena_alloc(a, (size_t)co->n_establishments * sizeof *co->establishments);
    for (int i = 0; m; m = m->next)
        if (m->kind == YAML_MAP)
            bind_establishment(a, m, stage, co, &co->establishments[i++], err);
}

/* ---- what may be there once only ---- */

struct occurrence {
    const char *value;
    int line;
};

static int by_value(const void *a, const void *b, void *unused)
{
    (void)unused;
    const struct occurrence *x = a, *y = b;
    int order = strcmp(x->value, y->value);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool refuse_repeated(struct occurrence *o, size_t n, const char *key, const char *file, struct err *err)
{
    bool ok = true;
    sort_if_needed(o, n, sizeof *o, by_value, NULL);
    for (size_t i = 1; i < n; i++)
        if (strcmp(o[i - 1].value, o[i].value) == 0)
            ok = err_add(err, ERR_CONFIG, "%s:%d: %s: %s is given twice, first on line %d", file, o[i].line, key,
                         o[i].value, o[i - 1].line);
    return ok;
}

static size_t add_occurrence(struct occurrence *o, size_t n, const char *value, int line)
{
    if (value)
        o[n++] = (struct occurrence){value, line};
    return n;
}

static int by_company_id(const void *a, const void *b, void *unused)
{
    (void)unused;
    const char *x = ((const struct config_company *)a)->id, *y = ((const struct config_company *)b)->id;
    return strcmp(x ? x : "", y ? y : "");   /* a fault of its node, told later */
}

void companies_end(struct config *c, const char *file, struct err *err)
{
    size_t most = (size_t)c->n_companies, n = 0;
    for (int i = 0; i < c->n_companies; i++)
        most += (size_t)c->companies[i].n_establishments;
    struct occurrence *o = mem_alloc(most * sizeof *o);
    for (int i = 0; i < c->n_companies; i++)
        n = add_occurrence(o, n, c->companies[i].id, c->companies[i].line);
    bool unique = refuse_repeated(o, n, "id", file, err);
    n = 0;
    for (int i = 0; i < c->n_companies && unique; i++) /* the default is the id: that would be told once more */
        n = add_occurrence(o, n, c->companies[i].alan_company_id, c->companies[i].line);
    refuse_repeated(o, n, "alan_company_id", file, err);
    n = 0;
    for (int i = 0; i < c->n_companies; i++)
        for (int e = 0; e < c->companies[i].n_establishments; e++)
            n = add_occurrence(o, n, c->companies[i].establishments[e].siret, c->companies[i].establishments[e].line);
    refuse_repeated(o, n, "siret", file, err);
    free(o);
    sort_if_needed(c->companies, (size_t)c->n_companies, sizeof *c->companies, by_company_id, NULL);
}

static int id_and_company(const void *id, const void *company)
{
    return str_cmp(*(const struct str *)id, str_of(((const struct config_company *)company)->id));
}

const struct config_company *config_find(const struct config *c, struct str company_id)
{
    return c->n_companies ? bsearch(&company_id, c->companies, (size_t)c->n_companies, sizeof *c->companies,
                                    id_and_company) : NULL;
}

void companies_begin(struct config *c, int n)
{
    c->companies = arena_alloc(&c->of_companies, (size_t)n * sizeof *c->companies);
    c->n_companies = 0;
}

void companies_bind(struct config *c, const struct yaml *list, enum stage stage, struct err *err)
{
    int n;
    if (list->kind == YAML_LIST && !list->child)
        yaml_fault(err, list, "expected at least one company");
    struct yaml *m = maps_of(list, &n, err);
    companies_begin(c, n);
    for (; m; m = m->next)
        if (m->kind == YAML_MAP)
            company_bind(c, m, stage, err);
    companies_end(c, list->file, err);
}
