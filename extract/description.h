/* The descriptions of extract/sources/, embedded at build time by extract/sources/embed.awk. */
#ifndef EXTRACT_DESCRIPTION_H
#define EXTRACT_DESCRIPTION_H

struct description {
    const char *name;      /* as `use:` names it */
    const char *file;      /* for messages */
    const char *text;
};

extern const struct description descriptions[]; /* ends with an empty one */

#endif
