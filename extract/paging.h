/* Walking through a list page by page, without any transfer: what a page says about the next one, and whether what was
 * received adds up to a whole list. Nothing is ever truncated in silence: a cursor met twice, more pages than the cap,
 * an announced total that changes on the way or differs from what arrived are errors.
 *
 * A page that is no JSON ends its list, for nobody can say where it goes on: it is kept for the mapper, whose reject
 * makes the list incomplete. */
#ifndef EXTRACT_PAGING_H
#define EXTRACT_PAGING_H

#include "extract/source.h"
#include "extract/spool.h"

enum { CURSOR_MAX = 8192 };

struct page_facts {
    int64_t records;       /* INT_NONE: the body is no JSON */
    int64_t total;         /* announced; INT_NONE: not */
    instant_t as_of;       /* what the page is the state of; INSTANT_NONE: not said */
    struct str next;       /* cursor or link as it stands there (PAGING_CURSOR, PAGING_LINK); null: none */
};

/* Reads a body (and the Link header, joined by commas when there are several; null: none). Strings point into body,
 * header or arena. ERR_DATA when a cursor, link, total or instant is there but is not what it should be. */
bool page_read_facts(const struct entity_source *entity, struct str body, struct str link_header, struct arena *a,
                     struct page_facts *ret, struct err *err);

/* The target with rel="next" of a Link header (RFC 8288), as written; null when there is none. */
struct str link_header_next(struct str header);

/* How far a list has been walked. */
struct walk {
    const struct entity_source *entity;
    int number;            /* of the page to ask for next, from 1 */
    struct str next;       /* what leads to it; null: it is the first one */
    int64_t delivered, total, first_records;
    struct str *seen;      /* cursors and links met */
    int n_seen, cap_seen;
    char xxh128[XXH128_HEX + 1]; /* of the page before, under PAGING_PAGE */
};

enum walk_step {
    WALK_MORE,
    WALK_COMPLETE,
    WALK_INCOMPLETE,       /* err: announced and delivered differ; lists change while they are read: once more may do */
    WALK_BROKEN            /* err: reading it again would not help */
};

void walk_start(struct walk *w, const struct entity_source *entity);
/* What leads from the page with these facts to the next one; null: it is the last. In the arena or in facts. A page
 * number goes on until the total is reached, a page is empty or one is shorter than the first: a short first page
 * proves nothing, for servers cap page sizes in silence. */
struct str walk_next(const struct walk *w, const struct page_facts *facts, struct arena *a);
/* Counts a page, received or found in the spool; what must last is copied to the arena. */
enum walk_step walk_take(struct walk *w, const struct page *page, struct arena *a, struct err *err);

#endif
