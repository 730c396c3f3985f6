#include "common/config.h"

#include "common/config_keys.h"
#include "common/file.h"

enum { SECRET_BYTES_MAX = 64 << 10, PATH_BYTES_MAX = 4096, YEAR_S = 366 * 86400 };

#define FIELD_AT(field) offsetof(struct config, field)

static const struct key config_keys[] = {
    {"version", KEY_COUNT, FIELD_AT(version), .required = true, .min = 1, .max = 1},
    {"staging", KEY_SECTION},
    {"staging.dir", KEY_TEXT, FIELD_AT(staging_dir), .fallback = "staging", .max = PATH_BYTES_MAX},
    {"staging.keep_runs", KEY_COUNT, FIELD_AT(keep_runs), .fallback = "30", .min = 1, .max = 100000},
    {"staging.keep_months", KEY_COUNT, FIELD_AT(keep_months), .fallback = "12", .min = 1, .max = 1200},
    {"staging.archive_raw", KEY_BOOL, FIELD_AT(archive_raw), .fallback = "false"},
    {"database", KEY_SECTION},
    {"database.url", KEY_SECRET, FIELD_AT(database_url), .fallback = ""},
    {"rules", KEY_SECTION},
    {"rules.invoice_month_shift", KEY_COUNT, FIELD_AT(invoice_month_shift), .fallback = "0", .min = -12, .max = 12},
    {"rules.lookback_months", KEY_COUNT, FIELD_AT(lookback_months), .fallback = "2", .min = 0, .max = 24},
    {"rules.minimum_employer_share", KEY_PERCENT, FIELD_AT(minimum_employer_share_ppm), .fallback = "50%",
     .max = PPM_ONE},
    {"rules.executive_minimum", KEY_PERCENT, FIELD_AT(executive_minimum_ppm), .fallback = "1.50%", .max = PPM_ONE},
    {"rules.amount_jump", KEY_PERCENT, FIELD_AT(amount_jump_ppm), .fallback = "20%", .max = 100 * PPM_ONE},
    {"rules.pmss", KEY_MAP},
    {"rules.tolerance", KEY_SECTION},
    {"rules.tolerance.line", KEY_EUROS, FIELD_AT(tolerance_line_cents), .fallback = "0.01", .max = 100000},
    {"rules.tolerance.invoice", KEY_EUROS, FIELD_AT(tolerance_invoice_cents), .fallback = "0.00", .max = 100000},
    {"rules.grace", KEY_SECTION},
    {"rules.grace.hire", KEY_DAYS, FIELD_AT(grace_hire_days), .fallback = "10d", .max = 366},
    {"rules.grace.contract", KEY_DAYS, FIELD_AT(grace_contract_days), .fallback = "7d", .max = 366},
    {"rules.grace.change", KEY_DAYS, FIELD_AT(grace_change_days), .fallback = "5d", .max = 366},
    {"rules.stale_after", KEY_DURATION, FIELD_AT(stale_after_s), .fallback = "36h", .min = 60, .max = YEAR_S},
    {"rules.reject_limit", KEY_REJECT_LIMIT, FIELD_AT(reject_limit_count), .fallback = "0", .max = 1000000000},
    {"sources", KEY_MAP},
    {"companies", KEY_LIST},
    {"companies_file", KEY_TEXT, FIELD_AT(companies_file), .max = PATH_BYTES_MAX},
};

static const struct { int year; int64_t cents; } pmss_known[] = {
#define PMSS(year, cents) {year, cents},
#include "common/pmss.def"
#undef PMSS
};

enum { PMSS_MOST = 100000000 }; /* a million euros: what is reckoned from it fits 64 bits */

/* rules.pmss: { "2027": 4100.00 } */
static void bind_pmss(struct config *c, struct yaml *map, struct err *err)
{
    for (size_t i = 0; i < sizeof pmss_known / sizeof *pmss_known; i++)
        c->pmss_cents[pmss_known[i].year - PMSS_FIRST_YEAR] = pmss_known[i].cents;
    if (!map || map->kind != YAML_MAP)
        return;
    for (struct yaml *m = map->child; m; m = m->next) {
        int64_t year, cents;
        m->used = true;
        if (!money_parse_int(str_of(m->key), &year) || year < PMSS_FIRST_YEAR || year >= PMSS_FIRST_YEAR + PMSS_YEARS)
            yaml_fault(err, m, "pmss: expected a year from %d to %d as key, found \"%.20s\"", PMSS_FIRST_YEAR,
                       PMSS_FIRST_YEAR + PMSS_YEARS - 1, m->key);
        else if (m->kind != YAML_SCALAR || !money_parse_euros(str_of(m->text), '.', &cents) || cents <= 0 ||
                 cents > PMSS_MOST)
            yaml_fault(err, m, "pmss: expected euros per month for %s, as 4005.00", m->key);
        else
            c->pmss_cents[year - PMSS_FIRST_YEAR] = cents;
    }
}

static bool is_given(const struct yaml *node)
{
    return node && (node->fault || !yaml_is_null(node));
}

/* digest NULL: without what is in companies_file. */
static void bind_companies(struct config *c, struct yaml *root, enum stage stage, struct sha256 *digest,
                           struct err *err)
{
    struct yaml *list = yaml_get(root, "companies"), *file = yaml_get(root, "companies_file");
    if (is_given(list) && is_given(file)) {
        yaml_fault(err, list, "companies_file is given as well; expected one of them");
    } else if (is_given(list)) {
        companies_bind(c, list, stage, err);
    } else if (c->companies_file) {
        if (digest)
            companies_file_bind(c, c->companies_file, stage, digest, err);
    } else if (!is_given(file)) {
        err_add(err, ERR_CONFIG, "%s:%d: companies: missing; expected a list here or companies_file", root->file,
                root->line);
    }
}

static void bind_root(struct config *c, struct yaml *root, enum stage stage, struct sha256 *digest, struct err *err)
{
    if (stage != STAGE_EXTRACT)
        keys_forget(root, "sources");
    if (stage == STAGE_TRANSFORM)
        keys_forget(root, "database.url");
    keys_bind(&c->arena, root, config_keys, sizeof config_keys / sizeof *config_keys, c, err);
    bind_pmss(c, yaml_get(yaml_get(root, "rules"), "pmss"), err);
    c->sources = yaml_get(root, "sources");
    if (c->sources && c->sources->kind != YAML_MAP)
        c->sources = NULL;
    bind_companies(c, root, stage, digest, err);
    yaml_faults(root, err);
}

bool config_read(struct config *c, const char *path, enum stage stage, bool companies, struct err *err)
{
    struct config read = {0};
    struct map map;
    struct sha256 digest;
    struct yaml *root = NULL;
    struct err fault = {0};
    if (!map_open_configured(&map, path, err))
        return false;
    sha256_start(&digest);
    sha256_add(&digest, map.p, map.len <= YAML_BYTES_MAX ? map.len : 0);
    read.path = arena_copy(&read.arena, path, strlen(path));
    if (map.len > YAML_BYTES_MAX)
        err_add(&fault, ERR_CONFIG, "%s: larger than %d MiB", path, YAML_BYTES_MAX >> 20);
    else if (yaml_parse((struct str){map.p, (uint32_t)map.len, false}, path, &read.arena, &root, &fault)) {
        if (root->kind == YAML_MAP)
            bind_root(&read, root, stage, companies ? &digest : NULL, &fault);
        else
            yaml_fault(&fault, root, "expected a map of keys such as version and companies");
    }
    map_close(&map);
    sha256_end(&digest, read.sha256);
    if (fault.kind != ERR_NONE) {
        config_free(&read);
        *err = fault;
        return false;
    }
    *c = read;
    return true;
}

void config_forget_companies(struct config *c)
{
    arena_free(&c->of_companies);
    c->companies = NULL;
    c->n_companies = 0;
}

void config_free(struct config *c)
{
    config_forget_companies(c);
    arena_free(&c->arena);
    *c = (struct config){0};
}

/* ---- secrets ---- */

static bool read_secret(struct arena *a, const struct yaml *node, const char *path, const char **ret, struct err *err)
{
    struct map map;
    struct err fault = {0};
    if (!map_open_configured(&map, path, &fault))
        return yaml_fault_behind(err, node, &fault);
    size_t len = map.len;
    if (len && map.p[len - 1] == '\n')
        len -= len > 1 && map.p[len - 2] == '\r' ? 2 : 1;
    bool ok = len <= SECRET_BYTES_MAX && !memchr(map.p, '\0', len);
    if (ok)
        *ret = arena_copy(a, map.p, len);
    map_close(&map);
    return ok || yaml_fault(err, node, "%s is no secret: too long, or not text", path);
}

bool config_secret(struct arena *a, const struct yaml *node, const char **ret, struct err *err)
{
    static const char prefix[] = "file:";
    const char *value = node->text;
    if (node->kind != YAML_SCALAR)
        return yaml_fault(err, node, "expected text or file:PATH");
    if (strncmp(value, prefix, sizeof prefix - 1) == 0) {
        const char *path = value + sizeof prefix - 1;
        if (!read_secret(a, node, path, &value, err))
            return false;
        if (!*value)
            return yaml_fault(err, node, "%s is empty", path);
    }
    if (str_has_control(str_of(value)))
        return yaml_fault(err, node, "a control character, such as a newline, is inside the secret");
    *ret = arena_copy(a, value, strlen(value));
    return true;
}

bool config_within_reject_limit(const struct config *c, int64_t rejects, int64_t records, struct err *err)
{
    int64_t limit = c->reject_limit_count != INT_NONE ? c->reject_limit_count
                                                      : (int64_t)((__extension__(__int128)records) * c->reject_limit_ppm / PPM_ONE);
    if (rejects <= limit)
        return true;
    return err_set(err, ERR_DATA, "%lld of %lld records rejected, rules.reject_limit allows %lld: see rejects.ndjson",
                   (long long)rejects, (long long)records, (long long)limit);
}

bool config_pmss(const struct config *c, month_t month, int64_t *ret_cents, struct err *err)
{
    int year = month / 12;
    int64_t cents = year >= PMSS_FIRST_YEAR && year < PMSS_FIRST_YEAR + PMSS_YEARS ? c->pmss_cents[year - PMSS_FIRST_YEAR] : 0;
    if (!cents)
        return err_set(err, ERR_CONFIG, "the PMSS of %d is not known: add it under rules.pmss in %s", year, c->path);
    *ret_cents = cents;
    return true;
}
