/* What is billed against what the contract says, and invoices against their lines. Raises only; holds nothing. */
#ifndef TRANSFORM_CHECK_H
#define TRANSFORM_CHECK_H

#include "transform/post.h"

/* Checks one line's portions: price_mismatch, rate_mismatch, proration_mismatch, recent_change (which explains one of
 * them), employer_share_below_minimum, retroactive_adjustment. False with err on an overflow. */
bool check_line(struct dataset *d, struct findings *f, uint32_t line, const struct portions *portions, struct err *err);

/* Writes an invoice_control for every invoice that counts in this payroll month, and raises invoice_total_mismatch,
 * line_count_mismatch and siren_mismatch. */
bool check_invoices(struct dataset *d, struct findings *f, const struct posting *p, struct err *err);

/* Raises contract_superseded, siren_mismatch of contracts, and pending_synchronisation of a contract that is new. */
void check_contracts(struct dataset *d, struct findings *f);

/* Raises stale_synchronisation for a source whose data are older than rules.stale_after. */
void check_sources(struct dataset *d, struct findings *f);

#endif
