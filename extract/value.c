#include "extract/value.h"

#include <stdio.h>

const char *const wire_type_names[] = {"text",  "digits", "date",  "instant", "month",   "integer", "bool",
                                       "cents", "euros",  "ratio", "percent", "list", NULL};

enum wire_type wire_type_default(const struct field *f)
{
    switch (f->type) {
    case F_CENTS: return WIRE_CENTS;
    case F_PPM:
    case F_COUNT: return WIRE_INTEGER;
    case F_DATE: return WIRE_DATE;
    case F_MONTH: return WIRE_MONTH;
    case F_INSTANT: return WIRE_INSTANT;
    case F_BOOL: return WIRE_BOOL;
    case F_TEXTS:
    case F_LIST: return WIRE_LIST;
    case F_TEXT:
    case F_ENUM: break;
    }
    return WIRE_TEXT;
}

bool wire_type_fits(const struct field *f, enum wire_type type)
{
    switch (f->type) {
    case F_TEXT: return type == WIRE_TEXT || type == WIRE_DIGITS;
    case F_CENTS: return type == WIRE_CENTS || type == WIRE_EUROS;
    case F_PPM: return type == WIRE_INTEGER || type == WIRE_RATIO || type == WIRE_PERCENT;
    default: return type == wire_type_default(f);
    }
}

static void *field_at(const struct field *f, void *rec)
{
    return (char *)rec + f->offset;
}

static bool text_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    if (memchr(s.p, '\0', s.len)) {
        faults_add(faults, a, REJECT_WRONG_TYPE, "%s: text without NUL characters expected", f->name);
        return false;
    }
    if (s.len > f->max) {
        faults_add(faults, a, REJECT_TOO_LONG, "%s: %u bytes, at most %u expected", f->name, s.len, f->max);
        return false;
    }
    *(struct str *)field_at(f, rec) = s;
    return true;
}

/* Digits with what people put between them taken out: spaces, no-break spaces, dots. */
static bool digits_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    char *digits = arena_alloc(a, s.len + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9') {
            digits[n++] = s.p[i];
        } else if (s.len - i >= 2 && memcmp(s.p + i, "\xc2\xa0", 2) == 0) {
            i += 1;
        } else if (s.len - i >= 3 && memcmp(s.p + i, "\xe2\x80\xaf", 3) == 0) {
            i += 2;
        } else if (s.p[i] != ' ' && s.p[i] != '.') {
            n = 0;
            break;
        }
    }
    if (n == 0) {
        faults_add(faults, a, REJECT_WRONG_TYPE, "%s: digits expected", f->name);
        return false;
    }
    return text_value(f, (struct str){digits, n, true}, a, rec, faults);
}

static bool enum_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    int value = enum_find(f->values, s);
    if (value) {
        *(uint8_t *)field_at(f, rec) = (uint8_t)value;
        return true;
    }
    struct buf known = {0};
    for (int i = 1; i < f->values->count; i++)
        buf_addf(&known, "%s%s", i > 1 ? ", " : "", f->values->names[i]);
    faults_add(faults, a, REJECT_UNKNOWN_VALUE, "%s: one of %s expected", f->name, buf_str(&known));
    buf_free(&known);
    return false;
}

/* Behind exactly one of these marks stand one or two digits: then it cannot group thousands. */
static bool decimal_mark_is(struct str s, char mark, char other)
{
    const char *at = memchr(s.p, mark, s.len);
    if (!at || memchr(s.p, other, s.len))
        return false;
    size_t behind = (size_t)(s.p + s.len - at - 1);
    return (behind == 1 || behind == 2) && !memchr(at + 1, mark, behind);
}

static bool money_value(const struct field *f, enum wire_type type, const struct wire_value *v, char decimal_point,
                        struct arena *a, void *rec, struct faults *faults)
{
    int64_t cents;
    bool good;
    if (type == WIRE_CENTS) {
        good = money_parse_int(v->text, &cents);
    } else {
        char point = v->is_number ? '.' : decimal_point;
        char other = point == '.' ? ',' : '.';
        struct str text = money_without_sign(v->text, "€"); /* a spreadsheet's currency format: "37,37 €" */
        if (v->is_string && decimal_mark_is(text, other, point))
            point = other;
        good = money_parse_euros(text, point, &cents);
    }
    if (!good || cents == INT_NONE) {
        faults_add(faults, a, REJECT_BAD_AMOUNT, "%s: %s expected", f->name,
                   type == WIRE_CENTS ? "whole cents" : "euros with at most two decimals and no exponent");
        return false;
    }
    *(int64_t *)field_at(f, rec) = cents;
    return true;
}

/* A share or a rate: 0 to 1, 0 to 100 %, or parts per million as they are. */
static bool ppm_value(const struct field *f, enum wire_type type, const struct wire_value *v, char decimal_point,
                      struct arena *a, void *rec, struct faults *faults)
{
    int64_t ppm;
    char point = v->is_number ? '.' : decimal_point;
    bool good = type == WIRE_INTEGER ? money_parse_int(v->text, &ppm)
                                     : money_parse_ppm(v->text, point, type == WIRE_PERCENT ? 100 : 1, &ppm);
    if (!good) {
        faults_add(faults, a, REJECT_BAD_AMOUNT, "%s: %s expected", f->name,
                   type == WIRE_INTEGER ? "whole parts per million"
                                        : "a decimal number with no more digits than parts per million hold");
        return false;
    }
    if (ppm < 0 || (type != WIRE_INTEGER && ppm > PPM_ONE)) {
        faults_add(faults, a, REJECT_OUT_OF_RANGE, "%s: %s expected", f->name,
                   type == WIRE_RATIO ? "0 to 1" : type == WIRE_PERCENT ? "0 to 100 %" : "0 or more");
        return false;
    }
    *(int64_t *)field_at(f, rec) = ppm;
    return true;
}

static bool count_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    int64_t n;
    if (!money_parse_int(s, &n)) {
        faults_add(faults, a, REJECT_WRONG_TYPE, "%s: a whole number expected", f->name);
        return false;
    }
    if (n < 0) {
        faults_add(faults, a, REJECT_OUT_OF_RANGE, "%s: 0 or more expected", f->name);
        return false;
    }
    *(int64_t *)field_at(f, rec) = n;
    return true;
}

/* A date, also the French way, also as an instant that is midnight as written: any other time of day would leave the
 * day to the time zone, and is refused. */
static bool date_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    date_t d;
    instant_t t;
    bool good = date_parse(s, &d) || date_parse_french(s, &d);
    if (!good && s.len > 19 && memcmp(s.p + 10, "T00:00:00", 9) == 0)
        good = instant_parse(s, &t) && date_parse((struct str){s.p, 10, true}, &d);
    if (!good) {
        faults_add(faults, a, REJECT_BAD_DATE, "%s: a date YYYY-MM-DD or DD/MM/YYYY expected", f->name);
        return false;
    }
    *(date_t *)field_at(f, rec) = d;
    return true;
}

/* YYYY-MM, YYYYMM, MM/YYYY. */
static bool month_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    char text[8] = "";
    if (s.len == 6)
        snprintf(text, sizeof text, "%.4s-%.2s", s.p, s.p + 4);
    else if (s.len == 7 && s.p[2] == '/')
        snprintf(text, sizeof text, "%.4s-%.2s", s.p + 3, s.p);
    else if (s.len == 7)
        memcpy(text, s.p, 7);
    month_t m;
    if (!month_parse(str_of(text), &m)) {
        faults_add(faults, a, REJECT_BAD_DATE, "%s: a month YYYY-MM expected", f->name);
        return false;
    }
    *(month_t *)field_at(f, rec) = m;
    return true;
}

static bool instant_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    instant_t t;
    date_t d;
    if (!instant_parse(s, &t)) {
        if (!date_parse(s, &d)) {
            faults_add(faults, a, REJECT_BAD_DATE, "%s: an instant such as 2026-04-30T18:00:00Z expected", f->name);
            return false;
        }
        t = (instant_t)d * 86400;
    }
    *(instant_t *)field_at(f, rec) = t;
    return true;
}

static bool bool_value(const struct field *f, struct str s, struct arena *a, void *rec, struct faults *faults)
{
    static const struct { const char *text; int8_t value; } known[] = {
        {"true", 1}, {"1", 1}, {"oui", 1}, {"Oui", 1}, {"OUI", 1}, {"VRAI", 1}, {"TRUE", 1},
        {"false", 0}, {"0", 0}, {"non", 0}, {"Non", 0}, {"NON", 0}, {"FAUX", 0}, {"FALSE", 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (str_is(s, known[i].text)) {
            *(int8_t *)field_at(f, rec) = known[i].value;
            return true;
        }
    }
    faults_add(faults, a, REJECT_WRONG_TYPE, "%s: true or false (oui, non, 1, 0) expected", f->name);
    return false;
}

static struct str mapped(const struct field_map *f, struct str text)
{
    for (int i = 0; i < f->n_values; i++) {
        if (str_is(text, f->values[i].from) || strcmp(f->values[i].from, "*") == 0)
            return str_of(f->values[i].to);
    }
    return text;
}

/* Text takes whole numbers too (an id 4711), nothing else that is not a string. */
static bool kind_fits(const struct field *f, enum wire_type type, const struct wire_value *v, struct arena *a,
                      struct faults *faults)
{
    if (type == WIRE_BOOL || v->is_string || !(v->is_bool || v->is_number))
        return true;
    int64_t whole;
    bool textual = type == WIRE_TEXT || type == WIRE_DIGITS || type == WIRE_MONTH;
    if (v->is_number && (!textual || money_parse_int(v->text, &whole)))
        return true;
    faults_add(faults, a, REJECT_WRONG_TYPE, "%s: %s expected", f->name, wire_type_names[type]);
    return false;
}

bool map_value(const struct field_map *f, const struct wire_value *v, char decimal_point, struct arena *a, void *rec,
               struct faults *faults)
{
    struct wire_value value = *v;
    value.text = mapped(f, v->text);
    if (value.text.p != v->text.p)
        value = (struct wire_value){.text = value.text, .is_string = true};
    if (!kind_fits(f->field, f->type, &value, a, faults))
        return false;
    switch (f->type) {
    case WIRE_TEXT:
        return f->field->type == F_ENUM ? enum_value(f->field, value.text, a, rec, faults)
                                        : text_value(f->field, value.text, a, rec, faults);
    case WIRE_DIGITS: return digits_value(f->field, value.text, a, rec, faults);
    case WIRE_DATE: return date_value(f->field, value.text, a, rec, faults);
    case WIRE_INSTANT: return instant_value(f->field, value.text, a, rec, faults);
    case WIRE_MONTH: return month_value(f->field, value.text, a, rec, faults);
    case WIRE_BOOL: return bool_value(f->field, value.text, a, rec, faults);
    case WIRE_CENTS:
    case WIRE_EUROS: return money_value(f->field, f->type, &value, decimal_point, a, rec, faults);
    case WIRE_INTEGER:
        if (f->field->type == F_COUNT)
            return count_value(f->field, value.text, a, rec, faults);
        return ppm_value(f->field, f->type, &value, decimal_point, a, rec, faults);
    case WIRE_RATIO:
    case WIRE_PERCENT: return ppm_value(f->field, f->type, &value, decimal_point, a, rec, faults);
    case WIRE_LIST: break;
    }
    faults_add(faults, a, REJECT_WRONG_TYPE, "%s: a list expected", f->field->name);
    return false;
}
