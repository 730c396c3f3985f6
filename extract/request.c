/* Which lists a company is asked for, and the placeholders in what is asked. */
#include <stdio.h>

#include "extract/source_read.h"

static const char *from_company_id(const struct request *q) { return q->company->id; }
static const char *from_alan_company_id(const struct request *q) { return q->company->alan_company_id; }
static const char *from_siren(const struct request *q) { return q->company->siren; }

static const char *from_payroll_company_id(const struct request *q)
{
    return q->establishment ? q->establishment->payroll_company_id : NULL;
}

static const char *from_siret(const struct request *q) { return q->establishment ? q->establishment->siret : NULL; }

static const char *from_payroll_token(const struct request *q)
{
    return q->establishment ? q->establishment->payroll_token : NULL;
}

static const struct placeholder {
    const char *name;
    int needs;
    const char *(*text)(const struct request *q);  /* NULL: a month */
    bool payroll, compact;                         /* of the month */
} placeholders[] = {
    {"company_id", NEEDS_COMPANY, from_company_id, false, false},
    {"alan_company_id", NEEDS_COMPANY, from_alan_company_id, false, false},
    {"siren", NEEDS_COMPANY, from_siren, false, false},
    {"payroll_company_id", NEEDS_ESTABLISHMENT | NEEDS_PAYROLL_COMPANY, from_payroll_company_id, false, false},
    {"siret", NEEDS_ESTABLISHMENT, from_siret, false, false},
    {"payroll_token", NEEDS_ESTABLISHMENT | NEEDS_TOKEN, from_payroll_token, false, false},
    {"month", NEEDS_MONTH, NULL, false, false},
    {"month_compact", NEEDS_MONTH, NULL, false, true},
    {"payroll_month", NEEDS_MONTH, NULL, true, false},
    {"payroll_month_compact", NEEDS_MONTH, NULL, true, true},
};

/* The placeholder that begins at p, "{name}", or NULL. */
static const struct placeholder *placeholder_at(const char *p)
{
    const char *end = strchr(p, '}');
    for (size_t i = 0; end && i < sizeof placeholders / sizeof *placeholders; i++) {
        size_t n = strlen(placeholders[i].name);
        if ((size_t)(end - p - 1) == n && strncmp(p + 1, placeholders[i].name, n) == 0)
            return &placeholders[i];
    }
    return NULL;
}

int template_needs(const char *template, const char **ret_unknown)
{
    int needs = 0;
    for (const char *p = template ? strchr(template, '{') : NULL; p; p = strchr(p + 1, '{')) {
        const struct placeholder *known = placeholder_at(p);
        if (known)
            needs |= known->needs;
        else if (ret_unknown && !*ret_unknown)
            *ret_unknown = p;
    }
    return needs;
}

int template_check(struct source_reader *r, const struct yaml *node, const char *template)
{
    const char *unknown = NULL;
    int needs = template_needs(template, &unknown);
    if (!unknown)
        return needs;
    struct buf known = {0};
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        buf_addf(&known, " {%s}", placeholders[i].name);
    yaml_fault(r->err, node, "unknown placeholder %.*s; known:%s", (int)strcspn(unknown, "}") + 1, unknown,
               buf_str(&known));
    buf_free(&known);
    return needs;
}

/* RFC 3986: everything but unreserved characters is encoded, also the slash: a value is one segment. */
static void add_encoded(struct buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c);
        if (plain)
            buf_addc(b, *s);
        else
            buf_addf(b, "%%%02X", c);
    }
}

static const char *placeholder_value(const struct placeholder *p, const struct request *q, char *month)
{
    if (p->text)
        return p->text(q);
    if (q->month == MONTH_NONE)
        return NULL;
    month_text(q->month + (p->payroll ? q->source->month_shift : 0), month);
    if (p->compact)
        memmove(month + 4, month + 5, 3);
    return month;
}

char *source_fill(const char *template, const struct request *request, bool url, struct arena *a)
{
    struct buf b = {0};
    for (const char *p = template; *p;) {
        const struct placeholder *known = *p == '{' ? placeholder_at(p) : NULL;
        if (!known) {
            buf_addc(&b, *p++);
            continue;
        }
        char month[MONTH_TEXT_MAX];
        const char *value = placeholder_value(known, request, month);
        if (url)
            add_encoded(&b, value ? value : "");
        else
            buf_adds(&b, value ? value : "");
        p = strchr(p, '}') + 1;
    }
    char *filled = arena_copy(a, buf_str(&b), b.len);
    buf_free(&b);
    return filled;
}

static bool needs_payroll_company(const struct entity_source *e)
{
    int needs = template_needs(e->path, NULL);
    for (int i = 0; i < e->n_query; i++)
        needs |= template_needs(e->query[i].value, NULL);
    return needs & NEEDS_PAYROLL_COMPANY;
}

struct request_list {
    struct request *v;     /* NULL: count only */
    int n;
};

month_t source_first_month(const struct entity_source *entity, month_t first)
{
    return entity->record == &pay_base_record ? first - first % 12 : first;
}

static void add_months(struct request_list *list, struct request q, month_t first, month_t last)
{
    bool monthly = q.entity->per & PER_MONTH;
    for (month_t m = source_first_month(q.entity, first); m <= last; m++) {
        q.month = monthly ? m : MONTH_NONE;
        q.optional = q.source->optional || (monthly && m < first);
        if (list->v)
            list->v[list->n] = q;
        list->n++;
        if (!monthly)
            return;
    }
}

static void add_entity(struct request_list *list, struct request q, month_t first, month_t last)
{
    if (!(q.entity->per & PER_ESTABLISHMENT)) {
        add_months(list, q, first, last);
        return;
    }
    bool payroll = needs_payroll_company(q.entity);
    for (int i = 0; i < q.company->n_establishments; i++) {
        q.establishment = &q.company->establishments[i];
        if (!payroll || q.establishment->payroll_company_id)
            add_months(list, q, first, last);
    }
}

static void add_all(struct request_list *list, const struct source *sources, int n,
                    const struct config_company *company, month_t first, month_t last)
{
    for (int s = 0; s < n; s++) {
        for (int e = 0; e < sources[s].n_entities; e++) {
            const struct entity_source *entity = &sources[s].entities[e];
            if (!entity->from && !entity->shared)
                add_entity(list, (struct request){&sources[s], entity, company, NULL, MONTH_NONE, false}, first, last);
        }
    }
}

struct request *source_requests(const struct source *sources, int n, const struct config_company *company,
                                month_t first, month_t last, struct arena *a, int *ret_n)
{
    struct request_list list = {0};
    add_all(&list, sources, n, company, first, last);
    list.v = arena_alloc(a, sizeof *list.v * (size_t)(list.n + 1));
    list.n = 0;
    add_all(&list, sources, n, company, first, last);
    *ret_n = list.n;
    return list.v;
}
