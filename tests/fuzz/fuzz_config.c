/* pipeline.yaml, as each stage reads it, and the CSV of companies that it may name. First byte: which. */
#include <ctype.h>

#include "common/nir.h"
#include "extract/source.h"
#include "tests/fuzz/fuzz.h"

static const char AROUND_COMPANIES[] = "version: 1\ncompanies_file: ";

static void check_company(const struct config_company *c)
{
    CHECK(company_id_valid(c->id) && siren_parse(str_of(c->siren), NULL) && strlen(c->siren) == 9);
    CHECK(c->alan_company_id && *c->alan_company_id && strlen(c->alan_company_id) <= 64);
    CHECK(!c->name || !str_has_control(str_of(c->name)));
    CHECK(c->headcount == INT_NONE || c->headcount >= 0);
    for (int i = 0; i < c->n_establishments; i++) {
        const struct config_establishment *e = &c->establishments[i];
        CHECK(siret_parse(str_of(e->siret), NULL) && strlen(e->siret) == 14);
        CHECK(!e->payroll_token || (*e->payroll_token && !str_has_control(str_of(e->payroll_token))));
    }
}

static void check_config(const struct config *c)
{
    CHECK(c->version == 1 && c->n_companies > 0 && c->staging_dir && *c->staging_dir);
    CHECK(c->keep_runs >= 1 && c->invoice_month_shift >= -12 && c->invoice_month_shift <= 12);
    CHECK(c->lookback_months >= 0 && c->lookback_months <= 24 && c->stale_after_s >= 60);
    CHECK(c->minimum_employer_share_ppm >= 0 && c->minimum_employer_share_ppm <= PPM_ONE);
    CHECK(c->tolerance_line_cents >= 0 && c->tolerance_invoice_cents >= 0);
    CHECK((c->reject_limit_count == INT_NONE) != (c->reject_limit_ppm == INT_NONE));
    for (int i = 0; i < c->n_companies; i++) {
        check_company(&c->companies[i]);
        CHECK(i == 0 || strcmp(c->companies[i].id, c->companies[i - 1].id) != 0);
    }
}

/* Faults are of the configuration, and each line says where. */
static void check_faults(const struct err *err)
{
    fuzz_check_err(err);
    CHECK(err->kind == ERR_CONFIG);
}

static void read_as(const char *path, enum stage stage)
{
    struct config c, again;
    struct err err = {0}, same = {0};
    bool good = config_read(&c, path, stage, true, &err);
    CHECK(config_read(&again, path, stage, true, &same) == good);
    if (!good) {
        check_faults(&err);
        CHECK(strcmp(err.text, same.text) == 0);
        return;
    }
    check_config(&c);
    CHECK(strcmp(c.sha256, again.sha256) == 0 && c.n_companies == again.n_companies);
    struct source *sources;
    int n;
    if (stage == STAGE_EXTRACT && !sources_read(&c, &sources, &n, &err))
        check_faults(&err);
    config_free(&c);
    config_free(&again);
}

void fuzz_one(struct str text)
{
    static struct fuzz_file config, companies;
    if (!config.path[0]) {
        fuzz_file_open(&config);
        fuzz_file_open(&companies);
        setenv("SET", "value", 1);
        setenv("EMPTY", "", 1);
        setenv("CONTROL", "a\nb", 1);
    }
    int which = fuzz_select(&text, 4);
    if (which < 3) {
        fuzz_file_write(&config, text.p, text.len);
        read_as(config.path, which == 0 ? STAGE_EXTRACT : which == 1 ? STAGE_TRANSFORM : STAGE_LOAD);
        return;
    }
    char main_file[sizeof AROUND_COMPANIES + sizeof companies.path];
    snprintf(main_file, sizeof main_file, "%s%s\n", AROUND_COMPANIES, companies.path);
    fuzz_file_write(&companies, text.p, text.len);
    fuzz_file_write(&config, main_file, strlen(main_file));
    read_as(config.path, STAGE_EXTRACT);
}
