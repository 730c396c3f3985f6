SELECT payroll.ensure_partition(:'period');
