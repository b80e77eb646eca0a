"""Small helpers that know nothing of exams: encryption, hooks, forms, catalogues."""
