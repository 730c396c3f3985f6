/* Between the files that read descriptions: source.c (a source as a whole), source_entity.c (what it is asked for),
 * source_fields.c (how records are made of the answers), request.c (placeholders). Every fault goes to err, all of kind
 * ERR_CONFIG; reading goes on behind it. */
#ifndef EXTRACT_SOURCE_READ_H
#define EXTRACT_SOURCE_READ_H

#include "extract/source.h"

struct source_reader {
    struct config *config;
    struct arena *arena;
    struct source *source;
    struct err *err;
};

/* What the placeholders of a template stand for. */
enum { NEEDS_COMPANY = 1, NEEDS_ESTABLISHMENT = 2, NEEDS_MONTH = 4, NEEDS_PAYROLL_COMPANY = 8, NEEDS_TOKEN = 16 };
/* The flags of all placeholders in a template (NULL: none). *ret_unknown (may be NULL) is set to the first one that is
 * not known, else left alone. */
int template_needs(const char *template, const char **ret_unknown);
/* The same for a value in a file: an unknown placeholder is a fault there. */
int template_check(struct source_reader *r, const struct yaml *node, const char *template);

/* A scalar becomes a list of one, so that both may be written; a list or a map stays. */
void yaml_as_list(struct arena *a, struct yaml *node);
/* A node that is no map becomes one with this single key. */
void yaml_as_map(struct arena *a, struct yaml *node, const char *key);
/* The place of text among names (NULL-terminated); -1 and a fault where it is not one of them. */
int source_choice(struct source_reader *r, struct yaml *map, const char *key, const char *text,
                  const char *const *names);
/* The scalars of a list, NULL when node is; ret has room for max. Returns how many. */
int source_texts(struct source_reader *r, const struct yaml *node, const char **ret, int max);

void source_entities_read(struct source_reader *r, struct yaml *map);
/* The fields of an entity (e->fields, e->merge, e->ignored); node is the entity's. */
void source_fields_read(struct source_reader *r, struct yaml *node, struct entity_source *e);

#endif
