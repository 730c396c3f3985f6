FETCH 500 FROM known_companies;
