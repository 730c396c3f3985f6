/* One value from the wire into one field of a canonical record. */
#ifndef EXTRACT_VALUE_H
#define EXTRACT_VALUE_H

#include "common/ndjson.h"
#include "extract/source.h"

/* A JSON scalar (strings unescaped, numbers as written, "true", "false") or a CSV cell, which is a string. */
struct wire_value {
    struct str text;
    bool is_string, is_number, is_bool, is_null;
};

/* Absent, null and empty are the same. */
static inline bool wire_is_null(const struct wire_value *v)
{
    return v->is_null || !v->text.p || v->text.len == 0;
}

/* The type a field has when the description names none. */
enum wire_type wire_type_default(const struct field *f);
/* Whether a field can be read from values of this type. */
bool wire_type_fits(const struct field *f, enum wire_type type);
/* NULL-terminated, in the order of enum wire_type. */
extern const char *const wire_type_names[];

/* Canonical value of one wire value that is not null, value map applied, written into rec at the field's offset. Text
 * is not copied. False with a fault that names the field and what was expected, never the value. */
bool map_value(const struct field_map *f, const struct wire_value *v, char decimal_point, struct arena *a, void *rec,
               struct faults *faults);

#endif
