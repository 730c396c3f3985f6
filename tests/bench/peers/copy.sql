\copy result FROM PROGRAM 'cat "$OUT"' WITH (FORMAT csv)
