-- Of each table, in order, whether rows may not go straight into it: it holds some that this run's have to be compared
-- with, or has row-level security, under which PostgreSQL has no COPY FROM.
:any_present;
