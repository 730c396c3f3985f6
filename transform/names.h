/* Names as they are compared for suggestions: without case, accents, hyphens, apostrophes, spaces. */
#ifndef TRANSFORM_NAMES_H
#define TRANSFORM_NAMES_H

#include "common/mem.h"
#include "common/str.h"

/* The folded form, in the arena: "Éloïse-Marie D'Œuvre" gives "eloisemariedoeuvre". Null for null. */
struct str name_fold(struct arena *a, struct str name);

#endif
