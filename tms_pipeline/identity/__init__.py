"""Identity: key rings outside Postgres, sealed values, keyed marks, masking."""
