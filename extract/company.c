#include "extract/company.h"

static void take_previous_siren(struct list *list, struct str siren, date_t until)
{
    struct previous_siren *v = list->v;
    for (uint32_t i = 0; i < list->n; i++) {
        if (str_eq(v[i].siren, siren)) {
            v[i].until = v[i].until == DATE_NONE ? until : v[i].until;
            return;
        }
    }
    v[list->n++] = (struct previous_siren){siren, until};
}

static void previous_sirens(const struct config_company *config, const struct rows *said, struct arena *a,
                            struct list *ret)
{
    size_t most = (size_t)config->n_previous_sirens;
    for (uint32_t i = 0; said && i < said->n; i++)
        most += ((const struct company *)rows_at(said, i))->previous_sirens.n;
    *ret = (struct list){arena_alloc(a, sizeof(struct previous_siren) * (most + 1)), 0};
    for (int i = 0; i < config->n_previous_sirens; i++)
        take_previous_siren(ret, str_of(config->previous_sirens[i].siren), config->previous_sirens[i].until);
    for (uint32_t i = 0; said && i < said->n; i++) {
        struct list more = ((const struct company *)rows_at(said, i))->previous_sirens;
        for (uint32_t j = 0; j < more.n; j++) {
            const struct previous_siren *p = list_at(more, sizeof *p, j);
            take_previous_siren(ret, p->siren, p->until);
        }
    }
}

static void establishments(const struct config_company *config, struct arena *a, struct list *ret)
{
    struct establishment *v = arena_alloc(a, sizeof *v * ((size_t)config->n_establishments + 1));
    for (int i = 0; i < config->n_establishments; i++)
        v[i] = (struct establishment){
            str_of(config->establishments[i].siret), str_of(config->establishments[i].payroll_company_id)
        };
    *ret = (struct list){v, (uint32_t)config->n_establishments};
}

static bool check_establishments(const struct config_company *config, const struct company *said, struct err *err)
{
    for (uint32_t i = 0; i < said->establishments.n; i++) {
        const struct establishment *e = list_at(said->establishments, sizeof *e, i);
        for (int j = 0; j < config->n_establishments; j++) {
            const struct config_establishment *known = &config->establishments[j];
            if (known->payroll_company_id && str_is(e->payroll_company_id, known->payroll_company_id) &&
                !str_is(e->siret, known->siret))
                return err_set(err, ERR_CONFIG, "company %s: payroll company %s is establishment %.*s there and %s in "
                               "the configuration", config->id, known->payroll_company_id, (int)e->siret.len,
                               e->siret.p, known->siret);
        }
    }
    return true;
}

bool company_compose(const struct config_company *config, const struct rows *said, struct arena *a, struct company *ret,
                     struct err *err)
{
    int64_t headcount = INT_NONE;
    ret->company_id = str_of(config->id);
    ret->siren = str_of(config->siren);
    ret->name = str_of(config->name);
    for (uint32_t i = 0; said && i < said->n; i++) {
        const struct company *c = rows_at(said, i);
        if (!check_establishments(config, c, err))
            return false;
        if (!ret->name.p)
            ret->name = c->name;
        if (c->headcount != INT_NONE && headcount == INT_NONE)
            headcount = c->headcount;
        else if (c->headcount != INT_NONE && !money_add(&headcount, c->headcount))
            return err_set(err, ERR_DATA, "company %s: headcount out of range", config->id);
    }
    ret->headcount = config->headcount != INT_NONE ? config->headcount : headcount;
    previous_sirens(config, said, a, &ret->previous_sirens);
    establishments(config, a, &ret->establishments);
    return true;
}
