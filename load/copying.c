#include "load/copying.h"

enum { FLUSH_BYTES = 256 << 10 };

bool copying_start(struct copying *c, struct load *l, const char *destination, const char *columns, struct err *err)
{
    const struct variable variables[] = {{"destination", destination}, {"columns", columns}};
    *c = (struct copying){.load = l};
    if (!template_fill(sql_load_copy.text, variables, 2, &c->sql, err))
        return false;
    c->query = (struct query){sql_load_copy.name, buf_str(&c->sql)};
    return true;
}

static bool flush(struct copying *c, size_t threshold, struct err *err)
{
    if (c->rows.len <= threshold)
        return true;
    bool ok = (c->begun || pg_copy_begin(&c->load->pg, &c->query, err));
    c->begun = true;
    ok = ok && pg_copy_put(&c->load->pg, &c->query, c->rows.p, c->rows.len, err);
    c->rows.len = 0;
    return ok;
}

bool copying_flush(struct copying *c, struct err *err)
{
    return flush(c, FLUSH_BYTES, err);
}

bool copying_end(struct copying *c, bool ok, int64_t *ret_rows, struct err *err)
{
    *ret_rows = 0;
    ok = ok && flush(c, 0, err) && (!c->begun || pg_copy_end(&c->load->pg, &c->query, ret_rows, err));
    buf_free(&c->sql);
    buf_free(&c->rows);
    return ok;
}
