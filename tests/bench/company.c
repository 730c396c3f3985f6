#include "tests/bench/company.h"

/* Pay up to the ceiling is the first tranche; companies of fewer people have no provident contract. */
enum { PMSS_CENTS = 400500, PROVIDENT_FROM_EMPLOYEES = 5, PPM_PROVIDENT = 600000, DICE_COMPANY = 50 };

/* Prices of a formula by who is insured, and the employer's part. */
static const struct formula {
    const char *code;
    int64_t employee_cents, partner_cents, child_cents, option_cents;
} formulas[FORMULAS] = {{"ESSENTIEL", 4210, 4390, 2115, 890}, {"CONFORT", 6845, 7025, 3490, 1275}};
enum { EMPLOYEE_SHARE_PPM = 600000, FAMILY_SHARE_PPM = 500000, OPTION_SHARE_PPM = 0 };

static const struct tranche {
    enum category category;
    enum basis basis;
    int64_t rate_ppm, employer_share_ppm;
} tranches[] = {
    {CATEGORY_EXECUTIVE, BASIS_T1, 15000, PPM_ONE},
    {CATEGORY_EXECUTIVE, BASIS_T2, 11300, 500000},
    {CATEGORY_NON_EXECUTIVE, BASIS_T1, 8000, 500000},
};
enum { TRANCHES = sizeof tranches / sizeof *tranches };

/* A company while it is written. */
struct writer {
    const struct world *world;
    const struct plan *plan;
    struct part *part;
    struct arena *arena;
    struct err *err;
    struct str company_id, siren, health_id, provident_id, health_reference, provident_reference;
    bool provident;
    struct invoice invoice[BILLING_MONTHS_MAX];
    char month[BILLING_MONTHS_MAX][MONTH_TEXT_MAX];
};

static month_t month_at(const struct writer *w, int i)
{
    return w->world->period - (w->world->billing_months - 1) + i;
}

static bool put(struct writer *w, const struct record *r, const void *rec)
{
    return part_put(w->part, r, rec, w->err);
}

const char *company_id(struct arena *a, int64_t number)
{
    return arena_printf(a, "bench-%06lld", (long long)number);
}

int64_t company_establishments(const struct plan *p)
{
    return (p->employees + EMPLOYEES_PER_ESTABLISHMENT - 1) / EMPLOYEES_PER_ESTABLISHMENT;
}

/* ---- payroll's side ---- */

static struct str payroll_contract_id(struct writer *w, const char *product, int64_t establishment)
{
    return str_of(arena_printf(w->arena, "pc-%06lld-%04lld-%s", (long long)w->plan->number, (long long)establishment,
                               product));
}

static struct list one_text(struct writer *w, struct str text)
{
    struct str *v = arena_alloc(w->arena, sizeof *v);
    *v = text;
    return (struct list){v, 1};
}

static bool payroll_put(struct writer *w, const struct person *p, int64_t establishment)
{
    struct employee e;
    record_init(&employee_record, &e);
    e.company_id = w->company_id;
    e.employee_id = p->employee_id;
    e.matricule = text_make(w->arena, "M", p->number);
    e.nir = p->nir;
    e.first_name = p->first_name;
    e.last_name = p->last_name;
    e.birth_date = p->birth;

    struct employment j;
    char siret[15];
    record_init(&employment_record, &j);
    j.company_id = w->company_id;
    j.employment_id = p->employment_id;
    j.employee_id = p->employee_id;
    j.siret = str_of(arena_copy(w->arena, company_siret(w->plan->number, establishment, siret), 14));
    j.starts_on = p->starts_on;
    j.ends_on = p->ends_on;
    j.status = p->ends_on == DATE_NONE ? EMPLOYMENT_ACTIVE : EMPLOYMENT_ENDED;
    j.category = p->executive ? CATEGORY_EXECUTIVE : CATEGORY_NON_EXECUTIVE;
    j.exempt = p->exempt;
    if (!p->exempt)
        j.health_contract_ids = one_text(w, payroll_contract_id(w, "health", establishment));
    if (w->provident)
        j.provident_contract_ids = one_text(w, payroll_contract_id(w, "provident", establishment));
    return put(w, &employee_record, &e) && put(w, &employment_record, &j);
}

static int64_t gross_in(const struct writer *w, const struct person *p, int month)
{
    return p->gross_cents + (p->changed && month_at(w, month) == w->world->period ? 1000 : 0);
}

static int64_t tranche_base(const struct writer *w, const struct person *p, enum basis basis, int month)
{
    int64_t gross = gross_in(w, p, month), t1 = gross < PMSS_CENTS ? gross : PMSS_CENTS;
    return basis == BASIS_T1 ? t1 : gross - t1;
}

static bool employed_in(const struct writer *w, const struct person *p, int month)
{
    month_t m = month_at(w, month);
    return p->starts_on <= month_last(m) && (p->ends_on == DATE_NONE || p->ends_on >= month_first(m));
}

static bool pay_bases_put(struct writer *w, const struct person *p)
{
    for (int i = 0; i < w->world->billing_months; i++) {
        struct pay_base b;
        record_init(&pay_base_record, &b);
        b.company_id = w->company_id;
        b.employment_id = p->employment_id;
        b.month = month_at(w, i);
        b.gross_cents = gross_in(w, p, i);
        b.t1_cents = tranche_base(w, p, BASIS_T1, i);
        b.t2_cents = tranche_base(w, p, BASIS_T2, i);
        if (employed_in(w, p, i) && !put(w, &pay_base_record, &b))
            return false;
    }
    return true;
}

/* The contracts of an establishment as payroll holds them, with those who are affiliated. */
static bool payroll_contract_put(struct writer *w, enum product product, int64_t establishment,
                                 const struct person *people, int64_t n)
{
    bool health = product == PRODUCT_HEALTH;
    struct payroll_contract c;
    struct str *ids = arena_alloc(w->arena, sizeof *ids * (size_t)n);
    record_init(&payroll_contract_record, &c);
    c.company_id = w->company_id;
    c.payroll_contract_id = payroll_contract_id(w, health ? "health" : "provident", establishment);
    c.product = (uint8_t)product;
    c.reference = health ? w->health_reference : w->provident_reference;
    c.employment_ids = (struct list){ids, 0};
    for (int64_t i = 0; i < n; i++)
        if (!health || !people[i].exempt)
            ids[c.employment_ids.n++] = people[i].employment_id;
    return put(w, &payroll_contract_record, &c);
}

/* ---- Alan's side ---- */

static struct term term_make(const char *option, enum category category, enum member_type type, int64_t share_ppm)
{
    struct term t;
    record_init(&term_record, &t);
    t.option_code = str_of(option);
    t.category = (uint8_t)category;
    t.member_type = (uint8_t)type;
    t.valid_from = date_of(2020, 1, 1);
    t.basis = BASIS_FIXED;
    t.employer_share_ppm = share_ppm;
    return t;
}

static bool contract_put(struct writer *w, enum product product, struct term *terms, uint32_t n)
{
    bool health = product == PRODUCT_HEALTH;
    struct contract c;
    record_init(&contract_record, &c);
    c.company_id = w->company_id;
    c.contract_id = health ? w->health_id : w->provident_id;
    c.product = (uint8_t)product;
    c.reference = health ? w->health_reference : w->provident_reference;
    c.insurer_code = STR("AALAN1");
    c.siren = w->siren;
    c.valid_from = date_of(2020, 1, 1);
    c.status = CONTRACT_ACTIVE;
    c.proration = PRORATION_NONE;
    c.updated_at = (instant_t)date_of(2020, 1, 1) * 86400;
    c.terms = (struct list){terms, n};
    return put(w, &contract_record, &c);
}

static bool contracts_put(struct writer *w)
{
    struct term terms[FORMULAS * 4 + TRANCHES];
    uint32_t n = 0;
    for (int i = 0; i < FORMULAS; i++) {
        const struct formula *f = &formulas[i];
        const int64_t prices[] = {f->employee_cents, f->partner_cents, f->child_cents, f->option_cents};
        static const enum member_type types[] = {MEMBER_EMPLOYEE, MEMBER_PARTNER, MEMBER_CHILD, MEMBER_OPTION};
        static const int64_t shares[] = {EMPLOYEE_SHARE_PPM, FAMILY_SHARE_PPM, FAMILY_SHARE_PPM, OPTION_SHARE_PPM};
        for (int k = 0; k < 4; k++) {
            terms[n] = term_make(f->code, CATEGORY_ALL, types[k], shares[k]);
            terms[n++].price_cents = prices[k];
        }
    }
    if (!contract_put(w, PRODUCT_HEALTH, terms, n))
        return false;
    for (n = 0; n < TRANCHES; n++) {
        const struct tranche *t = &tranches[n];
        terms[n] = term_make(NULL, t->category, MEMBER_EMPLOYEE, t->employer_share_ppm);
        terms[n].basis = (uint8_t)t->basis;
        terms[n].rate_ppm = t->rate_ppm;
    }
    return !w->provident || contract_put(w, PRODUCT_PROVIDENT, terms, n);
}

static const struct formula *formula_in(const struct writer *w, const struct person *p, int month)
{
    bool other = p->changed && month_at(w, month) == w->world->period;
    return &formulas[(p->formula + other) % FORMULAS];
}

static bool affiliation_put(struct writer *w, const struct person *p, enum product product)
{
    bool health = product == PRODUCT_HEALTH;
    struct affiliation a;
    record_init(&affiliation_record, &a);
    a.company_id = w->company_id;
    a.affiliation_id = str_of(arena_printf(w->arena, "aff-%08lld-%s", (long long)p->number, health ? "h" : "p"));
    a.member_id = p->member_id;
    a.contract_id = health ? w->health_id : w->provident_id;
    a.status = p->ends_on == DATE_NONE ? AFFILIATION_ACTIVE : AFFILIATION_ENDED;
    a.nir = p->alan_nir;
    a.first_name = p->first_name;
    a.last_name = p->alan_last_name;
    a.birth_date = p->birth;
    a.category = p->executive ? CATEGORY_EXECUTIVE : CATEGORY_NON_EXECUTIVE;
    a.starts_on = p->starts_on > date_of(2020, 1, 1) ? p->starts_on : date_of(2020, 1, 1);
    a.ends_on = p->ends_on;
    a.updated_at = (instant_t)a.starts_on * 86400;
    if (health) {
        a.option_code = str_of(formula_in(w, p, w->world->billing_months - 1)->code);
        a.partners = p->partner;
        a.children = p->children;
    }
    if (health && p->exempt) {
        a.status = AFFILIATION_EXEMPT;
        a.option_code = STR_NULL;
        a.exemption_ground = STR("individual");
        a.exemption_from = a.starts_on;
        a.exemption_proof = STR("attestation de l'assureur");
    }
    return put(w, &affiliation_record, &a);
}

static bool line_put(struct writer *w, const struct person *p, int month, struct invoice_line *l, const char *kind)
{
    struct invoice *invoice = &w->invoice[month];
    month_t m = month_at(w, month);
    l->company_id = w->company_id;
    l->line_id = str_of(arena_printf(w->arena, "ln-%08lld-%s-%s", (long long)p->number, w->month[month], kind));
    l->invoice_id = invoice->invoice_id;
    l->member_id = p->member_id;
    l->nir = p->alan_nir;
    l->first_name = p->first_name;
    l->last_name = p->alan_last_name;
    l->birth_date = p->birth;
    l->cover_from = p->starts_on > month_first(m) ? p->starts_on : month_first(m);
    l->cover_to = p->ends_on != DATE_NONE && p->ends_on < month_last(m) ? p->ends_on : month_last(m);
    l->kind = LINE_RECURRING;
    invoice->line_count++;
    if (!money_add(&invoice->total_cents, l->amount_cents))
        return err_set(w->err, ERR_BUG, "the total of an invoice is too large");
    return put(w, &invoice_line_record, l);
}

static bool health_line_put(struct writer *w, const struct person *p, int month, enum member_type type, int child)
{
    const struct formula *f = formula_in(w, p, month);
    const int64_t price[] = {[MEMBER_EMPLOYEE] = f->employee_cents, [MEMBER_PARTNER] = f->partner_cents,
                             [MEMBER_CHILD] = f->child_cents, [MEMBER_OPTION] = f->option_cents};
    const char *kind = arena_printf(w->arena, "%d-%s-%d", (int)type, member_type_enumeration.names[type], child);
    struct invoice_line l;
    record_init(&invoice_line_record, &l);
    l.contract_id = w->health_id;
    l.member_type = (uint8_t)type;
    l.option_code = str_of(f->code);
    l.basis = BASIS_FIXED;
    l.label = STR("Complémentaire santé");
    l.amount_cents = price[type];
    if (type == MEMBER_PARTNER || type == MEMBER_CHILD)
        l.beneficiary_id = str_of(arena_printf(w->arena, "ben-%08lld-%s", (long long)p->number, kind));
    if (p->fault == FAULT_PRICE && type == MEMBER_EMPLOYEE)
        l.amount_cents += 300;
    return line_put(w, p, month, &l, kind);
}

static bool health_lines_put(struct writer *w, const struct person *p, int month)
{
    bool ok = health_line_put(w, p, month, MEMBER_EMPLOYEE, 0) &&
              (!p->partner || health_line_put(w, p, month, MEMBER_PARTNER, 0));
    for (int child = 0; ok && child < p->children; child++)
        ok = health_line_put(w, p, month, MEMBER_CHILD, child);
    return ok && (!p->option || health_line_put(w, p, month, MEMBER_OPTION, 0));
}

static bool provident_lines_put(struct writer *w, const struct person *p, int month)
{
    enum category category = p->executive ? CATEGORY_EXECUTIVE : CATEGORY_NON_EXECUTIVE;
    for (int i = 0; i < TRANCHES; i++) {
        const struct tranche *t = &tranches[i];
        int64_t base = tranche_base(w, p, t->basis, month);
        int64_t employer_ppm = money_share(t->rate_ppm, t->employer_share_ppm);
        struct invoice_line l;
        if (t->category != category || base == 0)
            continue;
        record_init(&invoice_line_record, &l);
        l.contract_id = w->provident_id;
        l.member_type = MEMBER_EMPLOYEE;
        l.category = (uint8_t)category;
        l.basis = (uint8_t)t->basis;
        l.base_cents = base;
        l.label = STR("Prévoyance");
        l.amount_cents = money_share(base, employer_ppm) + money_share(base, t->rate_ppm - employer_ppm);
        if (!line_put(w, p, month, &l, arena_printf(w->arena, "6-%s", basis_enumeration.names[t->basis])))
            return false;
    }
    return true;
}

static void invoices_begin(struct writer *w)
{
    for (int i = 0; i < w->world->billing_months; i++) {
        struct invoice *v = &w->invoice[i];
        month_t m = month_at(w, i);
        month_text(m, w->month[i]);
        record_init(&invoice_record, v);
        v->company_id = w->company_id;
        v->invoice_id = str_of(arena_printf(w->arena, "inv-%s-%06lld", w->month[i], (long long)w->plan->number));
        v->number = str_of(arena_printf(w->arena, "F%s-%06lld", w->month[i], (long long)w->plan->number));
        v->type = INVOICE_INVOICE;
        v->siren = w->siren;
        v->billing_month = m;
        v->issued_on = month_last(m);
        v->due_on = month_last(m) + 15;
        v->currency = CURRENCY_EUR;
        v->status = INVOICE_ISSUED;
        v->updated_at = (instant_t)v->issued_on * 86400;
        v->total_cents = 0;
        v->line_count = 0;
    }
}

/* ---- the whole ---- */

static bool person_put(struct writer *w, const struct person *p, int64_t establishment)
{
    bool ok = payroll_put(w, p, establishment) && pay_bases_put(w, p) && affiliation_put(w, p, PRODUCT_HEALTH) &&
              (!w->provident || affiliation_put(w, p, PRODUCT_PROVIDENT));
    for (int i = 0; ok && i < w->world->billing_months; i++)
        if (employed_in(w, p, i))
            ok = (!p->billed || health_lines_put(w, p, i)) && (!w->provident || provident_lines_put(w, p, i));
    return ok;
}

static bool establishment_put(struct writer *w, int64_t establishment)
{
    int64_t first = establishment * EMPLOYEES_PER_ESTABLISHMENT, n = w->plan->employees - first;
    if (n > EMPLOYEES_PER_ESTABLISHMENT)
        n = EMPLOYEES_PER_ESTABLISHMENT;
    struct person *people = arena_alloc(w->arena, sizeof *people * (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        people[i] = person_make(w->world, w->plan->first_employee + first + i, w->arena);
        if (!person_put(w, &people[i], establishment))
            return false;
    }
    return payroll_contract_put(w, PRODUCT_HEALTH, establishment, people, n) &&
           (!w->provident || payroll_contract_put(w, PRODUCT_PROVIDENT, establishment, people, n));
}

static bool periods_put(struct writer *w)
{
    for (int i = 0; i < w->world->billing_months; i++) {
        struct payroll_period p;
        record_init(&payroll_period_record, &p);
        p.company_id = w->company_id;
        p.month = month_at(w, i);
        p.status = PERIOD_OPEN;
        if (!put(w, &invoice_record, &w->invoice[i]) || !put(w, &payroll_period_record, &p))
            return false;
    }
    return true;
}

static bool company_end(struct writer *w)
{
    static const char *const names[] = {"alan", "payroll"};
    struct source_sync sources[2];
    struct company c;
    char siret[15];
    uint32_t n = (uint32_t)company_establishments(w->plan);
    struct establishment *establishments = arena_alloc(w->arena, sizeof *establishments * n);
    for (uint32_t i = 0; i < n; i++) {
        record_init(&establishment_record, &establishments[i]);
        establishments[i].siret = str_of(arena_copy(w->arena, company_siret(w->plan->number, i, siret), 14));
    }
    for (int i = 0; i < 2; i++) {
        record_init(&source_sync_record, &sources[i]);
        sources[i].source = str_of(names[i]);
        sources[i].outcome = SYNC_OK;
        sources[i].attempted_at = sources[i].synced_at = w->world->as_of;
    }
    record_init(&company_record, &c);
    c.company_id = w->company_id;
    c.siren = w->siren;
    c.name = text_make(w->arena, "Société", w->plan->number);
    c.headcount = w->plan->employees;
    c.establishments = (struct list){establishments, n};
    c.status = COMPANY_OK;
    c.sources = (struct list){sources, 2};
    return part_end_company(w->part, &c, w->err);
}

bool company_put(const struct world *world, const struct plan *plan, struct part *part, struct arena *a,
                 struct err *err)
{
    char siren[15];
    struct writer w = {.world = world, .plan = plan, .part = part, .arena = a, .err = err};
    w.company_id = str_of(company_id(a, plan->number));
    w.siren = str_of(arena_copy(a, company_siren(plan->number, siren), 9));
    w.health_id = text_make(a, "ct-h", plan->number);
    w.provident_id = text_make(a, "ct-p", plan->number);
    w.health_reference = text_make(a, "SANTE", plan->number);
    w.provident_reference = text_make(a, "PREV", plan->number);
    struct dice d = dice_for(world, DICE_COMPANY, plan->number);
    w.provident = plan->employees >= PROVIDENT_FROM_EMPLOYEES && dice_ppm(&d, PPM_PROVIDENT);
    invoices_begin(&w);
    bool ok = contracts_put(&w);
    for (int64_t i = 0; ok && i < company_establishments(plan); i++)
        ok = establishment_put(&w, i);
    return ok && periods_put(&w) && company_end(&w);
}
