/* What is billed against what the contract says, and invoices against their lines. Raises only; holds nothing. */
#ifndef TRANSFORM_CHECK_H
#define TRANSFORM_CHECK_H

#include "transform/post.h"

/* Checks one line's portions: price_mismatch, rate_mismatch, proration_mismatch, recent_change (which explains one of
 * them), employer_share_below_minimum, retroactive_adjustment, contract_expired, billed_not_affiliated,
 * adjustment_without_original. False with err on an overflow. */
bool check_line(struct dataset *d, struct findings *f, const struct line *line, const struct portions *portions, struct err *err);

/* Raises feed_empty: last month had an invoice, this one should have had its own by now. */
void check_feed(struct dataset *d, struct findings *f);

/* Writes an invoice_control for every invoice that counts in this payroll month unless the month is closed, and raises invoice_total_mismatch,
 * line_count_mismatch and siren_mismatch. */
bool check_invoices(struct dataset *d, struct findings *f, const struct posting *p, struct err *err);

/* Raises contract_superseded, siren_mismatch of contracts, and pending_synchronisation of a contract that is new. */
void check_contracts(struct dataset *d, struct findings *f);

/* Raises stale_synchronisation for a source whose data are older than rules.stale_after. */
void check_sources(struct dataset *d, struct findings *f);

#endif
