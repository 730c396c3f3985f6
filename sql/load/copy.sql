COPY :destination (:columns) FROM STDIN WITH (FORMAT binary);
