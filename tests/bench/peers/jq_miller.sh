#!/usr/bin/env bash
# jq cuts the columns out, Miller joins and halves, \copy loads.
#   IN=extract's folder MONTH=YYYY-MM OUT=file jq_miller.sh
# shellcheck disable=SC2016 # the dollars are jq's and Miller's
set -euo pipefail

# columns ENTITY HEADER FILTER: a CSV file of an entity
columns() {
    echo "$2" >"$OUT.$1"
    jq -r --arg month "$MONTH" "$3 | @csv" "$IN/$1"-*.ndjson >>"$OUT.$1"
}

columns invoice_lines company_id,invoice_id,nir,line_id,amount \
    '[.company_id, .invoice_id, (.nir // "")[:13], .line_id, .amount_cents]' &
columns invoices company_id,invoice_id 'select(.billing_month == $month) | [.company_id, .invoice_id]'
columns employees company_id,nir,employee_id '[.company_id, .nir[:13], .employee_id]'
wait $!
mlr --icsv --ocsv --headerless-csv-output join -j company_id,invoice_id -f "$OUT.invoices" \
    'then' join --ur -j company_id,nir -f "$OUT.employees" \
    'then' put '$half = $amount < 0 ? -((1 - $amount) // 2) : ($amount + 1) // 2; $other = $amount - $half' \
    'then' template -f company_id,line_id,employee_id,amount,half,other "$OUT.invoice_lines" >"$OUT"
psql -Xq -v ON_ERROR_STOP=1 -f "$(dirname "$0")/copy.sql"
