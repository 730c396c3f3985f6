COPY :destination (:columns) FROM STDIN;
