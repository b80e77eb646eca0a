"""Small helpers that know nothing of exams: encryption, hooks, middleware, catalogues."""
