#include "tests/bench/person.h"

#include "common/nir.h"

/* In parts per million. */
enum {
    PPM_EXEMPT = 40000, PPM_EXECUTIVE = 250000, PPM_PARTNER = 220000, PPM_CHILD = 160000, PPM_OPTION = 120000,
    PPM_HIRED = 20000, PPM_LEFT = 10000, PPM_FAULTY = 10000, CHILDREN_MAX = 3
};

/* What the dice are thrown for. */
enum { DICE_PERSON = 1, DICE_FAULT, DICE_CHANGE };

static const char *const first_names[] = {
    "Camille", "Louise", "Émilie", "Zoé", "Fatou", "Inès", "Jeanne", "Noémie", "Aïcha", "Marie-Hélène", "Léa", "Agnès",
    "Gabriel", "Jules", "Mathéo", "Rayan", "Loïc", "François", "Jean-Baptiste", "Noël", "Thibaut", "Karim", "Hugo"};
static const char *const last_names[] = {
    "Martin", "Bernard", "Dubois", "Lefèvre", "Moreau", "Nguyen", "Garnier", "Diallo", "Müller", "Le Gall", "Faure",
    "D'Orves", "Benali", "Chevalier", "Lacroix-Petit", "Da Silva", "Renaud", "Traoré", "Rousseau", "Perrin", "Gérard"};
#define PICK(dice, list) list[dice_below(dice, sizeof(list) / sizeof *(list))]

/* ---- dice ---- */

/* Spreads what differs in one bit over all (the finaliser of splitmix64). */
static uint64_t spread(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct dice dice_for(const struct world *w, uint64_t purpose, int64_t number)
{
    uint64_t state = spread(w->seed ^ spread(purpose ^ spread((uint64_t)number + 0x9e3779b97f4a7c15u)));
    return (struct dice){state ? state : 1};
}

int64_t dice_below(struct dice *d, int64_t n)
{
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return (int64_t)((d->state * 0x2545f4914f6cdd1du >> 1) % (uint64_t)n);
}

/* ---- identities ---- */

/* The last digit that makes all n of them satisfy Luhn; it is written behind the n - 1 that are there. */
static void luhn_close(char *digits, int n)
{
    int sum = 0;
    for (int i = n - 2, doubled = 1; i >= 0; i--, doubled = !doubled) {
        int digit = (digits[i] - '0') * (doubled ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    digits[n - 1] = (char)('0' + (10 - sum % 10) % 10);
    digits[n] = '\0';
}

static void digits_put(char *to, int64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
}

char *company_siren(int64_t number, char *text)
{
    digits_put(text, 40000000 + number, 8);
    luhn_close(text, 9);
    return text;
}

char *company_siret(int64_t number, int64_t establishment, char *text)
{
    company_siren(number, text);
    digits_put(text + 9, establishment + 1, 4);
    luhn_close(text, 14);
    return text;
}

/* Commune and order tell people apart, then the department: 01..19, 21..94. */
static struct str nir_make(struct arena *a, int64_t number, bool male, date_t birth, bool with_key)
{
    enum { ORDERS = 999, COMMUNES = 989, DEPARTMENTS = 93 };
    int year, month, day;
    char *text = arena_alloc(a, 16);
    uint64_t nir13;
    int64_t department = 1 + number / ORDERS / COMMUNES % DEPARTMENTS;
    date_civil(birth, &year, &month, &day);
    text[0] = male ? '1' : '2';
    digits_put(text + 1, year % 100, 2);
    digits_put(text + 3, month, 2);
    digits_put(text + 5, department >= 20 ? department + 1 : department, 2);
    digits_put(text + 7, 1 + number / ORDERS % COMMUNES, 3);
    digits_put(text + 10, 1 + number % ORDERS, 3);
    if (with_key && nir_parse((struct str){text, 13, true}, &nir13) == NIR_OK)
        digits_put(text + 13, nir_key(nir13), 2);
    return (struct str){text, text[13] ? 15 : 13, true};
}

/* ---- people ---- */

struct str text_make(struct arena *a, const char *prefix, int64_t number)
{
    return str_of(arena_printf(a, "%s-%08lld", prefix, (long long)number));
}

struct person person_make(const struct world *w, int64_t number, struct arena *a)
{
    struct dice d = dice_for(w, DICE_PERSON, number), fault = dice_for(w, DICE_FAULT, number),
                change = dice_for(w, DICE_CHANGE, number);
    struct person p = {.number = number, .ends_on = DATE_NONE};
    bool male = dice_below(&d, 2);
    p.birth = date_of(1960, 1, 1) + (date_t)dice_below(&d, 45 * 365);
    p.first_name = str_of(PICK(&d, first_names));
    p.last_name = str_of(PICK(&d, last_names));
    p.executive = dice_ppm(&d, PPM_EXECUTIVE);
    p.exempt = dice_ppm(&d, PPM_EXEMPT);
    p.partner = dice_ppm(&d, PPM_PARTNER);
    p.children = dice_ppm(&d, PPM_CHILD) ? 1 + (int)dice_below(&d, CHILDREN_MAX) : 0;
    p.option = dice_ppm(&d, PPM_OPTION);
    p.formula = (int)dice_below(&d, FORMULAS);
    p.gross_cents = p.executive ? 350000 + dice_below(&d, 450000) : 180000 + dice_below(&d, 200000);
    p.starts_on = date_of(2015, 1, 1) + (date_t)dice_below(&d, 3650);
    if (dice_ppm(&d, PPM_HIRED))
        p.starts_on = month_first(w->period) + (date_t)dice_below(&d, 25);
    else if (dice_ppm(&d, PPM_LEFT))
        p.ends_on = month_first(w->period) - 1 - (date_t)dice_below(&d, 25);
    p.fault = dice_ppm(&fault, PPM_FAULTY) ? 1 + (enum fault)dice_below(&fault, FAULTS - 1) : FAULT_NONE;
    p.exempt = p.exempt || p.fault == FAULT_EXEMPT_BILLED;
    p.billed = !p.exempt || p.fault == FAULT_EXEMPT_BILLED;
    p.changed = dice_ppm(&change, w->change_ppm);
    p.employee_id = text_make(a, "emp", number);
    p.employment_id = text_make(a, "job", number);
    p.member_id = text_make(a, "mbr", number);
    p.nir = nir_make(a, number, male, p.birth, true);
    bool wrong = p.fault == FAULT_STRANGER || p.fault == FAULT_WRONG_NUMBER;
    p.alan_nir = nir_make(a, number, male != wrong, p.birth, number % 3 == 0);
    p.alan_last_name = p.fault == FAULT_STRANGER ? STR("Inconnu-Autrement") : p.last_name;
    return p;
}
