/* A staging directory for benchmarks: the extract output of any number of invented people and companies. The sizes are
 * those of a payroll provider: one company of a tenth of all, then as Zipf has it, down to one employee each; or all
 * alike (--even). A later --night has read the same again, but for the people whom --change-ppm changes. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/company.h"

enum { EMPLOYEES_MAX = 20000000, COMPANIES_MAX = 9999999, DICE_ORDER = 100 };

struct arguments {
    int64_t employees, companies, seed, change_ppm, night, billing_months;
    bool even;
    const char *period, *staging, *run_id, *config_out;
};

static const char usage[] =
    "generate --staging DIR [--employees 100000] [--companies 5000] [--period 2026-04] [--run-id bench] [--seed 1]\n"
    "         [--billing-months 3] [--night 0] [--change-ppm 0] [--even] [--config-out FILE]\n";

static bool number_parse(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
    if (money_parse_int(str_of(text), ret) && *ret >= min && *ret <= max)
        return true;
    return err_set(err, ERR_USAGE, "--%s: expected %lld to %lld, found %s", name, (long long)min, (long long)max, text);
}

static bool arguments_parse(struct arguments *a, int argc, char **argv, struct err *err)
{
    static const struct option options[] = {
        {"employees", required_argument, NULL, 'e'}, {"companies", required_argument, NULL, 'c'},
        {"period", required_argument, NULL, 'p'},    {"staging", required_argument, NULL, 's'},
        {"run-id", required_argument, NULL, 'r'},    {"seed", required_argument, NULL, 'd'},
        {"change-ppm", required_argument, NULL, 'x'}, {"config-out", required_argument, NULL, 'o'},
        {"night", required_argument, NULL, 'n'},     {"even", no_argument, NULL, 'v'},
        {"billing-months", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    bool ok = true;
    int option;
    while (ok && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'e': ok = number_parse("employees", optarg, 1, EMPLOYEES_MAX, &a->employees, err); break;
        case 'c': ok = number_parse("companies", optarg, 1, COMPANIES_MAX, &a->companies, err); break;
        case 'd': ok = number_parse("seed", optarg, 0, INT64_MAX, &a->seed, err); break;
        case 'x': ok = number_parse("change-ppm", optarg, 0, PPM_ONE, &a->change_ppm, err); break;
        case 'n': ok = number_parse("night", optarg, 0, 365, &a->night, err); break;
        case 'm':
            ok = number_parse("billing-months", optarg, 1, BILLING_MONTHS_MAX, &a->billing_months, err);
            break;
        case 'v': a->even = true; break;
        case 'p': a->period = optarg; break;
        case 's': a->staging = optarg; break;
        case 'r': a->run_id = optarg; break;
        case 'o': a->config_out = optarg; break;
        default: return err_set(err, ERR_USAGE, "usage: %s", usage);
        }
    }
    if (ok && (!a->staging || optind < argc))
        return err_set(err, ERR_USAGE, "usage: %s", usage);
    if (ok && a->companies > a->employees)
        return err_set(err, ERR_USAGE, "--companies: more than --employees");
    return ok;
}

/* ---- sizes ---- */

/* employees[i] of each company; every one has somebody. Company 0 has a tenth, the k-th of the others as many as are in
 * proportion to 1/k. */
static void sizes_make(int64_t *size, int64_t companies, int64_t employees)
{
    enum { SCALE = 1000000000 };
    int64_t harmonic = 0, left = employees - companies;
    for (int64_t i = 0; i < companies; i++)
        size[i] = 1;
    int64_t first = companies == 1 ? left : (left < employees / 10 ? left : employees / 10);
    size[0] += first;
    left -= first;
    for (int64_t k = 1; k < companies; k++)
        harmonic += SCALE / k;
    int64_t spread = left;
    for (int64_t k = 1; k < companies; k++) {
        int64_t add = money_scale(spread, SCALE / k, harmonic);
        add = add < left ? add : left;
        size[k] += add;
        left -= add;
    }
    for (int64_t k = 1; left > 0; k = k + 1 < companies ? k + 1 : 1, left--)
        size[k]++;
}

static void sizes_even(int64_t *size, int64_t companies, int64_t employees)
{
    for (int64_t i = 0; i < companies; i++)
        size[i] = employees / companies + (i < employees % companies);
}

/* The large ones stand anywhere among the small ones. */
static void sizes_shuffle(const struct world *w, int64_t *size, int64_t n)
{
    struct dice d = dice_for(w, DICE_ORDER, 0);
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = dice_below(&d, i + 1), swap = size[i];
        size[i] = size[k];
        size[k] = swap;
    }
}

/* ---- writing ---- */

static bool parts_write(const struct world *w, const int64_t *size, int64_t companies, const struct staging_out *out,
                        int *ret_parts, struct err *err)
{
    struct arena arena = {0};
    struct part part;
    int64_t first_employee = 0;
    int parts = 0;
    bool ok = true, open = false;
    for (int64_t i = 0; ok && i < companies; i++) {
        if (!open)
            part_begin(&part, out, parts++);
        open = true;
        ok = company_put(w, &(struct plan){i, size[i], first_employee}, &part, &arena, err);
        first_employee += size[i];
        arena_reset(&arena);
        if (ok && (part_full(&part) || i == companies - 1)) {
            open = false;
            ok = part_commit(&part, err);
        }
    }
    if (open)
        part_abandon(&part);
    arena_free(&arena);
    *ret_parts = parts;
    return ok;
}

static void summary_print(const struct staging_totals *t)
{
    int64_t rows = 0;
    for (int i = 0; i < t->n_entities; i++) {
        printf("%-20s %12lld\n", t->entity[i].record->entity, (long long)t->entity[i].rows);
        rows += t->entity[i].rows;
    }
    printf("%-20s %12lld\n%-20s %12lld\n", "companies", (long long)t->companies_ok, "records", (long long)rows);
}

static bool staging_write(const struct world *w, const struct arguments *a, const int64_t *size, struct err *err)
{
    struct staging_out out;
    struct staging_totals totals;
    struct run_info info = {.stage = STAGE_EXTRACT, .run_id = a->run_id, .period = w->period, .as_of = w->as_of,
                            .began_at = w->as_of, .shards = 1};
    int parts;
    if (!staging_begin(&out, a->staging, &info, err))
        return false;
    if (!parts_write(w, size, a->companies, &out, &parts, err)) {
        staging_abandon(&out);
        return false;
    }
    if (!staging_publish(&out, parts, true, &totals, err))
        return false;
    summary_print(&totals);
    return true;
}

/* ---- configuration ---- */

static bool text_write(const char *path, struct buf *text, struct err *err)
{
    struct out_file f = {0};
    bool ok = file_create(&f, path, err) && file_write(&f, text->p, text->len, err) && file_commit(&f, NULL, err);
    file_abandon(&f);
    buf_free(text);
    return ok;
}

/* pipeline.yaml and, beside it, companies_file. */
static bool config_write(const struct arguments *a, const int64_t *size, struct err *err)
{
    struct arena arena = {0};
    struct buf csv = {0}, yaml = {0};
    char siren[15], siret[15];
    const char *csv_path = arena_printf(&arena, "%s.companies.csv", a->config_out);
    buf_adds(&csv, "company_id,siren,headcount,siret\n");
    for (int64_t i = 0; i < a->companies; i++) {
        const struct plan plan = {.number = i, .employees = size[i]};
        for (int64_t k = 0; k < company_establishments(&plan); k++)
            buf_addf(&csv, "%s,%s,%lld,%s\n", company_id(&arena, i), company_siren(i, siren), (long long)size[i],
                     company_siret(i, k, siret));
    }
    buf_addf(&yaml,
             "version: 1\nstaging: { dir: \"%s\", keep_runs: 30 }\ndatabase: { url: \"${DATABASE_URL:-}\" }\n"
             "companies_file: \"%s\"\n",
             a->staging, csv_path);
    bool ok = text_write(csv_path, &csv, err) && text_write(a->config_out, &yaml, err);
    buf_free(&csv);
    buf_free(&yaml);
    arena_free(&arena);
    return ok;
}

static bool generate(const struct arguments *a, struct err *err)
{
    struct world w = {.seed = (uint64_t)a->seed, .change_ppm = a->change_ppm, .billing_months = (int)a->billing_months};
    if (!month_parse(str_of(a->period), &w.period))
        return err_set(err, ERR_USAGE, "--period: expected YYYY-MM, found %s", a->period);
    w.as_of = (instant_t)(month_first(w.period + 1) + a->night) * 86400 + 3 * 3600;
    int64_t *size = mem_alloc(sizeof *size * (size_t)a->companies);
    (a->even ? sizes_even : sizes_make)(size, a->companies, a->employees);
    sizes_shuffle(&w, size, a->companies);
    bool ok = staging_write(&w, a, size, err) && (!a->config_out || config_write(a, size, err));
    free(size);
    return ok;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct arguments a = {.employees = 100000, .companies = 5000, .seed = 1, .billing_months = BILLING_MONTHS_MAX,
                          .period = "2026-04", .run_id = "bench"};
    if (arguments_parse(&a, argc, argv, &err) && generate(&a, &err))
        return 0;
    fprintf(stderr, "generate: %s\n", err.text);
    return (int)err.kind;
}
