#include "extract/source.h"

#include <stdio.h>

#include "common/config_keys.h"
#include "common/file.h"
#include "extract/description.h"
#include "extract/source_read.h"
#include "extract/url.h"

struct source_keys {
    const char *kind, *side, *base_url, *ca_file, *separator, *encoding, *decimal;
    bool optional, insecure_http;
    int64_t max_body_bytes, timeout_ms, deadline_ms, connect_timeout_ms, retries, max_parallel, requests_per_second;
    const char *auth_kind, *header, *token, *token_url, *client_id, *client_secret, *scope;
};

enum { URL_MAX = 2048, NAME_MAX_BYTES = 64 };

#define KEY(path, type, field, fallback, min, max) \
    {path, type, offsetof(struct source_keys, field), false, fallback, min, max}
static const struct key source_keys[] = {
    {"use", KEY_MAP, 0, false, NULL, 0, 0}, /* read before, and taken away */
    {"kind", KEY_TEXT, offsetof(struct source_keys, kind), true, NULL, 0, NAME_MAX_BYTES},
    KEY("side", KEY_TEXT, side, "alan", 0, NAME_MAX_BYTES),
    KEY("optional", KEY_BOOL, optional, "false", 0, 0),
    KEY("base_url", KEY_TEXT, base_url, NULL, 0, URL_MAX),
    KEY("insecure_http", KEY_BOOL, insecure_http, "false", 0, 0),
    KEY("ca_file", KEY_TEXT, ca_file, NULL, 0, URL_MAX),
    {"auth", KEY_SECTION, 0, false, NULL, 0, 0},
    KEY("auth.kind", KEY_TEXT, auth_kind, "none", 0, NAME_MAX_BYTES),
    KEY("auth.header", KEY_TEXT, header, NULL, 0, NAME_MAX_BYTES),
    KEY("auth.token", KEY_SECRET, token, NULL, 0, 0),
    KEY("auth.token_url", KEY_TEXT, token_url, NULL, 0, URL_MAX),
    KEY("auth.client_id", KEY_SECRET, client_id, NULL, 0, 0),
    KEY("auth.client_secret", KEY_SECRET, client_secret, NULL, 0, 0),
    KEY("auth.scope", KEY_TEXT, scope, NULL, 0, URL_MAX),
    KEY("max_body_bytes", KEY_COUNT, max_body_bytes, "67108864", 1024, 1 << 30),
    KEY("timeout_ms", KEY_COUNT, timeout_ms, "60000", 1, 3600000),
    KEY("deadline_ms", KEY_COUNT, deadline_ms, "900000", 1, 86400000),
    KEY("connect_timeout_ms", KEY_COUNT, connect_timeout_ms, "10000", 1, 600000),
    KEY("retries", KEY_COUNT, retries, "5", 0, 100),
    KEY("max_parallel", KEY_COUNT, max_parallel, "16", 1, 1000),
    KEY("requests_per_second", KEY_COUNT, requests_per_second, "0", 0, 100000),
    KEY("separator", KEY_TEXT, separator, ";", 0, NAME_MAX_BYTES),
    KEY("encoding", KEY_TEXT, encoding, "auto", 0, NAME_MAX_BYTES),
    KEY("decimal", KEY_TEXT, decimal, ".", 0, 1),
    {"paging", KEY_MAP, 0, false, NULL, 0, 0},
    {"entities", KEY_MAP, 0, true, NULL, 0, 0},
};

static void check_url(struct source_reader *r, const struct yaml *node, const char *url)
{
    struct err err = {0};
    if (!url_check(r->source, url, &err))
        yaml_fault_behind(r->err, node, &err);
}

static void missing(struct source_reader *r, const struct yaml *map, const char *key, const char *why)
{
    err_add(r->err, ERR_CONFIG, "%s:%d: %s: %s is missing; %s", map->file, map->line, r->source->name, key, why);
}

static void auth_read(struct source_reader *r, struct yaml *map, const struct source_keys *k)
{
    static const char *const kinds[] = {"none", "bearer", "header", "client_credentials", NULL};
    struct auth *auth = &r->source->auth;
    int kind = source_choice(r, map, "auth", k->auth_kind, kinds);
    auth->kind = kind < 0 ? AUTH_NONE : (enum auth_kind)kind;
    auth->header = k->header;
    auth->token = k->token;
    auth->token_url = k->token_url;
    auth->client_id = k->client_id;
    auth->client_secret = k->client_secret;
    auth->scope = k->scope;
    if ((auth->kind == AUTH_BEARER || auth->kind == AUTH_HEADER) && !auth->token)
        missing(r, map, "auth.token", "it is the credential of this kind of auth");
    if (auth->kind == AUTH_HEADER && !auth->header)
        missing(r, map, "auth.header", "it names the header that carries the token");
    if (auth->kind != AUTH_CLIENT_CREDENTIALS)
        return;
    if (!auth->client_id || !auth->client_secret)
        missing(r, map, "auth.client_id or auth.client_secret", "client_credentials needs both");
    if (!auth->token_url)
        missing(r, map, "auth.token_url", "client_credentials asks it for a token");
    else if (auth->token_url[0] == '/')
        auth->token_url = arena_printf(r->arena, "%s%s", r->source->base_url, auth->token_url);
    else
        check_url(r, yaml_get(yaml_get(map, "auth"), "token_url"), auth->token_url);
}

static void csv_read(struct source_reader *r, struct yaml *map, const struct source_keys *k)
{
    static const char *const encodings[] = {"auto", "utf-8", "windows-1252", NULL};
    struct source *s = r->source;
    int encoding = source_choice(r, map, "encoding", k->encoding, encodings);
    s->encoding_auto = encoding == 0;
    s->windows_1252 = encoding == 2;
    if (!k->separator)
        return;            /* at fault, which has been told */
    s->separator = strcmp(k->separator, "tab") == 0 ? '\t' : k->separator[0];
    if (s->separator != '\t' && (k->separator[1] || strchr("\"\r\n ", s->separator)))
        yaml_fault(r->err, yaml_get(map, "separator"), "a single character or tab expected");
}

static void rest_read(struct source_reader *r, struct yaml *map, const struct source_keys *k)
{
    struct source *s = r->source;
    if (!k->base_url) {
        missing(r, map, "base_url", "the paths of the entities are appended to it");
        return;
    }
    size_t len = strlen(k->base_url);
    while (len && k->base_url[len - 1] == '/')
        len--;
    s->base_url = arena_copy(r->arena, k->base_url, len);
    check_url(r, yaml_get(map, "base_url"), k->base_url);
    auth_read(r, map, k);
}

/* A source of one entity may be written without `entities:`: its keys move there. */
static void move_entity(struct source_reader *r, struct yaml *map)
{
    static const char *const keys[] = {"path", "fields", "merge", "ignore"};
    struct yaml *entity = yaml_get(map, "entity");
    if (!entity || entity->kind != YAML_SCALAR || yaml_get(map, "entities"))
        return;
    struct yaml *list = arena_alloc(r->arena, sizeof *list), *only = arena_alloc(r->arena, sizeof *only);
    *list = *only = (struct yaml){.kind = YAML_MAP, .line = entity->line, .file = entity->file};
    list->key = "entities";
    list->child = only;
    only->key = entity->text;
    for (struct yaml **m = &map->child; *m;) {
        struct yaml *member = *m;
        bool moves = member == entity;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            moves = moves || strcmp(member->key, keys[i]) == 0;
        if (!moves) {
            m = &member->next;
            continue;
        }
        *m = member->next;
        member->next = NULL;
        if (member != entity) {
            member->next = only->child;
            only->child = member;
        }
    }
    list->next = map->child;
    map->child = list;
}

static void source_read(struct source_reader *r, struct yaml *map)
{
    static const char *const kinds[] = {"rest", "csv", NULL}, *const sides[] = {"alan", "payroll", NULL};
    struct source *s = r->source;
    struct source_keys k = {0};
    move_entity(r, map);
    keys_bind(r->arena, map, source_keys, sizeof source_keys / sizeof *source_keys, &k, r->err);
    if (!k.kind)
        return;
    int kind = source_choice(r, map, "kind", k.kind, kinds);
    int side = source_choice(r, map, "side", k.side, sides);
    s->kind = kind == 1 ? SOURCE_CSV : SOURCE_REST;
    s->payroll = side == 1;
    s->optional = k.optional;
    s->insecure_http = k.insecure_http;
    s->ca_file = k.ca_file;
    s->max_body_bytes = k.max_body_bytes;
    s->timeout_ms = k.timeout_ms;
    s->deadline_ms = k.deadline_ms;
    s->connect_timeout_ms = k.connect_timeout_ms;
    s->retries = (int)k.retries;
    s->max_parallel = (int)k.max_parallel;
    s->requests_per_second = (int)k.requests_per_second;
    s->month_shift = (int)r->config->invoice_month_shift;
    s->decimal_point = k.decimal ? k.decimal[0] : '.';
    if (s->decimal_point != '.' && s->decimal_point != ',')
        yaml_fault(r->err, yaml_get(map, "decimal"), "\".\" or \",\" expected");
    if (s->kind == SOURCE_CSV)
        csv_read(r, map, &k);
    else if (kind == 0)
        rest_read(r, map, &k);
    source_entities_read(r, map);
}

static struct yaml *description_of_user(struct source_reader *r, const struct yaml *use)
{
    struct map file;
    struct yaml *node = NULL;
    struct err err = {0};
    if (!map_open_configured(&file, use->text, &err)) {
        yaml_fault_behind(r->err, use, &err);
        return NULL;
    }
    if (file.len > YAML_BYTES_MAX)
        yaml_fault(r->err, use, "%s is too large for a description", use->text);
    else if (!yaml_parse((struct str){file.p, (uint32_t)file.len, false}, use->text, r->arena, &node, &err))
        err_add(r->err, err.kind, "%s", err.text);
    map_close(&file);
    return node;
}

static struct yaml *description_named(struct source_reader *r, const struct yaml *use)
{
    struct buf known = {0};
    struct yaml *node = NULL;
    const struct description *d = descriptions;
    for (; d->name && strcmp(d->name, use->text) != 0; d++)
        buf_addf(&known, "%s, ", d->name);
    if (d->name)
        yaml_parse(str_of(d->text), d->file, r->arena, &node, r->err);
    else
        yaml_fault(r->err, use, "no description is called %s; known: %sor a path that ends in .yaml", use->text,
                   buf_str(&known));
    buf_free(&known);
    return node;
}

/* The entry of pipeline.yaml laid over the description that it uses; NULL when there is none to be had. */
static struct yaml *described(struct source_reader *r, struct yaml *entry)
{
    struct yaml *use = yaml_get(entry, "use"), *base = NULL;
    if (use) {
        if (use->kind != YAML_SCALAR || use->fault || !use->text[0]) {
            yaml_fault(r->err, use, "the name of a description, or a path that ends in .yaml expected");
            return NULL;
        }
        size_t len = strlen(use->text);
        bool path = strchr(use->text, '/') || (len > 5 && strcmp(use->text + len - 5, ".yaml") == 0);
        base = path ? description_of_user(r, use) : description_named(r, use);
        if (!base)
            return NULL;
    }
    struct yaml *map = yaml_overlay(r->arena, base, entry);
    for (struct yaml **m = &map->child; use && *m; m = &(*m)->next) {
        if (strcmp((*m)->key, "use") == 0) {
            *m = (*m)->next;
            break;
        }
    }
    return yaml_faults(map, r->err) ? map : NULL;
}

/* A key per establishment that is not there would be found out only when the request is refused. */
static void check_tokens(struct source_reader *r)
{
    const struct source *s = r->source;
    if (!(template_needs(s->auth.token, NULL) & NEEDS_TOKEN))
        return;
    for (int c = 0; c < r->config->n_companies; c++) {
        const struct config_company *company = &r->config->companies[c];
        for (int e = 0; e < company->n_establishments; e++) {
            const struct config_establishment *at = &company->establishments[e];
            if (at->payroll_company_id && !at->payroll_token)
                err_add(r->err, ERR_CONFIG, "%s:%d: company %s, establishment %s: payroll_token is missing; source %s "
                        "reads with it", r->config->path, at->line, company->id, at->siret, s->name);
        }
    }
}

static bool path_holds(const struct source *s, const char *placeholder)
{
    for (int i = 0; i < s->n_entities; i++)
        if (s->entities[i].path && strstr(s->entities[i].path, placeholder))
            return true;
    return false;
}

static void check_slash(struct source_reader *r, int line, const char *key, const char *id)
{
    if (id && strchr(id, '/'))
        err_add(r->err, ERR_CONFIG, "%s:%d: %s: a slash is in it, and source %s makes the path of a file of it",
                r->config->path, line, key, r->source->name);
}

/* In a URL an id is one segment whatever is in it, in the path of a file it must be one by itself. */
static void check_file_ids(struct source_reader *r)
{
    bool alan = path_holds(r->source, "{alan_company_id}"), payroll = path_holds(r->source, "{payroll_company_id}");
    for (int c = 0; c < r->config->n_companies && (alan || payroll); c++) {
        const struct config_company *company = &r->config->companies[c];
        if (alan)
            check_slash(r, company->line, "alan_company_id", company->alan_company_id);
        for (int e = 0; e < company->n_establishments && payroll; e++)
            check_slash(r, company->establishments[e].line, "payroll_company_id",
                        company->establishments[e].payroll_company_id);
    }
}

bool sources_read(struct config *config, struct source **ret, int *ret_n, struct err *err)
{
    err->kind = ERR_NONE;
    int n = 0, max = 0;
    if (!config->sources || !config->sources->child)
        return err_set(err, ERR_CONFIG, "%s: sources: missing; at least one source expected", config->path);
    for (struct yaml *m = config->sources->child; m; m = m->next)
        max++;
    struct source *sources = arena_alloc(&config->arena, sizeof *sources * (size_t)max);
    for (struct yaml *m = config->sources->child; m; m = m->next) {
        struct source_reader r = {config, &config->arena, &sources[n++], err};
        r.source->name = m->key;
        if (m->kind != YAML_MAP) {
            yaml_fault(err, m, "a map with use: expected");
            continue;
        }
        if (strlen(m->key) > NAME_MAX_BYTES)
            yaml_fault(err, m, "at most %d bytes expected in the name of a source", NAME_MAX_BYTES);
        struct yaml *map = described(&r, m);
        if (map)
            source_read(&r, map);
        if (map && r.source->kind == SOURCE_REST)
            check_tokens(&r);
        else if (map)
            check_file_ids(&r);
    }
    if (err->kind != ERR_NONE)
        return false;
    *ret = sources;
    *ret_n = n;
    return true;
}
