-- What the manifest says of an entity, and what arrived.
SELECT expected.rows, expected.cents, found.rows, found.cents
FROM (SELECT coalesce(sum(r.rows), 0) AS rows, coalesce(sum(r.cents), 0) AS cents
      FROM this_company AS c, jsonb_to_recordset(c.ranges) AS r (entity text, rows bigint, cents bigint)
      WHERE :member AND r.entity = :'entity') AS expected,
     (SELECT count(*) AS rows, coalesce(sum(:sum), 0) AS cents FROM new_:table) AS found;
