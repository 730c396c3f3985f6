#include "extract/url.h"

#include <strings.h>

#include "common/loopback.h"

/* ---- building ---- */

static const char *const SECRETS[] = {"{payroll_token}"};

static bool holds_no_secret(const struct request *r, const char *template, struct err *err)
{
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
        if (strstr(template, SECRETS[i]))
            return err_set(err, ERR_CONFIG, "%s: %s: %s may not stand in a URL; send it as a header", r->source->name,
                           r->entity->name, SECRETS[i]);
    return true;
}

static void add_param(struct buf *url, const char *name, const char *value)
{
    buf_addc(url, memchr(url->p, '?', url->len) ? '&' : '?');
    buf_adds(url, name);
    buf_addc(url, '=');
    buf_adds(url, value);
}

static bool add_cursor(struct buf *url, const char *name, struct str cursor, struct err *err)
{
    char *encoded = curl_easy_escape(NULL, cursor.p, (int)cursor.len);
    if (!encoded)
        return err_no_memory(err);
    add_param(url, name, encoded);
    curl_free(encoded);
    return true;
}

static bool add_paging(struct buf *url, const struct paging *paging, const struct walk *walk, bool one_record,
                       struct err *err)
{
    char number[16];
    if (paging->size_param && paging->size > 0) {
        snprintf(number, sizeof number, "%d", one_record ? 1 : paging->size);
        add_param(url, paging->size_param, number);
    }
    if (!paging->param || (paging->kind != PAGING_CURSOR && paging->kind != PAGING_PAGE))
        return true;
    if (walk->next.p)
        return add_cursor(url, paging->param, walk->next, err);
    if (paging->kind == PAGING_PAGE) {
        snprintf(number, sizeof number, "%d", paging->first_page);
        add_param(url, paging->param, number);
    }
    return true;
}

static bool build_rest(const struct request *r, const struct walk *walk, bool one_record, struct arena *a,
                       struct buf *url, struct err *err)
{
    const struct entity_source *e = r->entity;
    if (!holds_no_secret(r, r->source->base_url, err) || !holds_no_secret(r, e->path, err))
        return false;
    buf_adds(url, source_fill(r->source->base_url, r, true, a));
    while (url->len && url->p[url->len - 1] == '/')
        url->len--;
    if (e->path[0] != '/')
        buf_addc(url, '/');
    buf_adds(url, source_fill(e->path, r, true, a));
    for (int i = 0; i < e->n_query; i++) {
        if (!holds_no_secret(r, e->query[i].value, err))
            return false;
        add_param(url, e->query[i].name, source_fill(e->query[i].value, r, true, a));
    }
    return add_paging(url, &e->paging, walk, one_record, err);
}

bool url_build(const struct request *request, const struct walk *walk, bool one_record, struct arena *a, char **ret,
               struct err *err)
{
    if (request->source->kind == SOURCE_CSV) {
        *ret = source_fill(request->entity->path, request, false, a);
        return true;
    }
    if (request->entity->paging.kind == PAGING_LINK && walk->next.p) {
        *ret = arena_copy(a, walk->next.p, walk->next.len);
        return true;
    }
    struct buf url = {0};
    bool ok = build_rest(request, walk, one_record, a, &url, err);
    if (ok)
        *ret = arena_copy(a, url.p, url.len);
    buf_free(&url);
    return ok;
}

struct str url_told(const struct request *request, struct str url, int number, struct arena *a)
{
    enum paging_kind kind = request->entity->paging.kind;
    struct walk first;
    struct err ignored;
    char *built;
    if (number == 1 || (kind != PAGING_CURSOR && kind != PAGING_LINK))
        return url;
    walk_start(&first, request->entity);
    bool ok = url_build(request, &first, false, a, &built, &ignored);
    return str_of(arena_printf(a, "%s, page %d", ok ? built : request->source->name, number));
}

/* ---- taking apart ---- */

enum { SCHEME, HOST, PORT, USER, PASSWORD, PARTS };

struct parts {
    char *v[PARTS];   /* NULL where the URL has none */
};

static void parts_free(struct parts *p)
{
    for (int i = 0; i < PARTS; i++)
        curl_free(p->v[i]);
}

/* A part that cannot be had for want of memory is an error: the URL must not pass for one without it. */
static bool parts_get(CURLU *u, struct parts *ret, struct err *err)
{
    static const CURLUPart PART[PARTS] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT, CURLUPART_USER,
                                          CURLUPART_PASSWORD};
    for (int i = 0; i < PARTS; i++)
        if (curl_url_get(u, PART[i], &ret->v[i], i == PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OUT_OF_MEMORY)
            return err_no_memory(err);
    return true;
}

/* Reads a URL, or a link relative to the one that is there. *ret_readable: whether it is one. */
static bool url_set(CURLU *u, const char *url, unsigned flags, bool *ret_readable, struct err *err)
{
    CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, flags) : CURLUE_OUT_OF_MEMORY;
    *ret_readable = !code;
    return code != CURLUE_OUT_OF_MEMORY || err_no_memory(err);
}

/* ---- checking ---- */

static bool parts_check(const struct source *s, const struct parts *p, struct err *err)
{
    const char *scheme = p->v[SCHEME] ? p->v[SCHEME] : "", *host = p->v[HOST] ? p->v[HOST] : "";
    if (p->v[USER] || p->v[PASSWORD])
        return err_set(err, ERR_CONFIG, "%s: a URL may not hold a user name or password; use auth", s->name);
    if (!strcmp(scheme, "https"))
        return true;
    if (!strcmp(scheme, "file") && !strncasecmp(s->base_url, "file:", 5))
        return true;
    if (strcmp(scheme, "http") != 0)
        return err_set(err, ERR_CONFIG, "%s: %s is not accepted; expected https", s->name, scheme);
    if (s->insecure_http || host_is_loopback(host))
        return true;
    return err_set(err, ERR_CONFIG, "%s: plain http to %s is refused; expected https, or insecure_http: true on the "
                   "source", s->name, host);
}

bool url_check(const struct source *source, const char *url, struct err *err)
{
    CURLU *u = curl_url();
    struct parts parts = {{NULL}};
    bool readable, ok = url_set(u, url, CURLU_NON_SUPPORT_SCHEME, &readable, err);
    if (ok && !readable)
        ok = err_set(err, ERR_CONFIG, "%s: base_url and path, or auth.token_url, make no URL", source->name);
    ok = ok && parts_get(u, &parts, err) && parts_check(source, &parts, err);
    parts_free(&parts);
    curl_url_cleanup(u);
    return ok;
}

bool url_is_loopback(CURLU *url)
{
    char *host = NULL;
    CURLUcode code = url ? curl_url_get(url, CURLUPART_HOST, &host, 0) : CURLUE_OUT_OF_MEMORY;
    bool loopback = code == CURLUE_OUT_OF_MEMORY || (host && host_is_loopback(host));
    curl_free(host);
    return loopback;
}

/* ---- following ---- */

/* Told is where the link leads to, but for path and query. */
static bool same_origin(CURLU *from, CURLU *to, struct err *err)
{
    struct parts a = {{NULL}}, b = {{NULL}};
    bool ok = parts_get(from, &a, err) && parts_get(to, &b, err);
    for (int i = 0; ok && i < PARTS; i++)
        if (a.v[i] && b.v[i] ? strcasecmp(a.v[i], b.v[i]) != 0 : a.v[i] != b.v[i])
            ok = err_set(err, ERR_DATA, "the link to the next page leaves the server: it leads to %s://%.200s%s%s",
                         b.v[SCHEME] ? b.v[SCHEME] : "", b.v[HOST] ? b.v[HOST] : "", b.v[PORT] ? ":" : "",
                         b.v[PORT] ? b.v[PORT] : "");
    parts_free(&a);
    parts_free(&b);
    return ok;
}

static bool follow(CURLU *from, CURLU *to, const char *link, struct arena *a, struct str *ret, struct err *err)
{
    char *absolute = NULL;
    bool readable;
    if (!url_set(to, link, 0, &readable, err))
        return false;
    if (!readable)
        return err_set(err, ERR_DATA, "the link to the next page is not a URL");
    if (!same_origin(from, to, err))
        return false;
    curl_url_set(to, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(to, CURLUPART_URL, &absolute, 0))
        return err_no_memory(err);
    size_t len = strlen(absolute);
    *ret = (struct str){arena_copy(a, absolute, len), (uint32_t)len, false};
    curl_free(absolute);
    return true;
}

bool url_follow(const char *url, struct str link, struct arena *a, struct str *ret, struct err *err)
{
    if (memchr(link.p, '\0', link.len))
        return err_set(err, ERR_DATA, "the link to the next page is not a URL: a NUL character is in it");
    CURLU *from = curl_url(), *to = NULL;
    bool readable, ok = url_set(from, url, 0, &readable, err);
    if (ok && !readable)
        ok = err_set(err, ERR_DATA, "a link to the next page, on a page that has no URL");
    if (ok && !(to = curl_url_dup(from)))
        ok = err_no_memory(err);
    ok = ok && follow(from, to, arena_copy(a, link.p, link.len), a, ret, err);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return ok;
}
