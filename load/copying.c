#include "load/copying.h"

#include "load/copy.h"

enum { FLUSH_BYTES = 32 << 10 };

bool copying_start(struct copying *c, struct load *l, const char *destination, const char *columns, struct err *err)
{
    const struct variable variables[] = {{"destination", destination}, {"columns", columns}};
    *c = (struct copying){.load = l};
    if (!template_fill(sql_load_copy.text, variables, 2, &c->sql, err))
        return false;
    c->query = (struct query){sql_load_copy.name, buf_str(&c->sql)};
    buf_reserve(&c->rows, FLUSH_BYTES + FLUSH_BYTES / 2);   /* grown step by step it would leave holes */
    return true;
}

static bool put(struct copying *c, struct buf *b, struct err *err)
{
    bool ok = pg_copy_put(&c->load->pg, &c->query, b->p, b->len, err);
    b->len = 0;
    return ok;
}

static bool begin(struct copying *c, struct err *err)
{
    struct buf header = {0};
    copy_header(&header);
    bool ok = pg_copy_begin(&c->load->pg, &c->query, err) && put(c, &header, err);
    buf_free(&header);
    c->begun = true;
    return ok;
}

static bool flush(struct copying *c, size_t threshold, struct err *err)
{
    return c->rows.len <= threshold || ((c->begun || begin(c, err)) && put(c, &c->rows, err));
}

bool copying_flush(struct copying *c, struct err *err)
{
    return flush(c, FLUSH_BYTES, err);
}

static bool end(struct copying *c, int64_t *ret_rows, struct err *err)
{
    copy_trailer(&c->rows);
    return put(c, &c->rows, err) && pg_copy_end(&c->load->pg, &c->query, ret_rows, err);
}

bool copying_end(struct copying *c, bool ok, int64_t *ret_rows, struct err *err)
{
    *ret_rows = 0;
    ok = ok && flush(c, 0, err) && (!c->begun || end(c, ret_rows, err));
    buf_free(&c->sql);
    buf_free(&c->rows);
    return ok;
}
