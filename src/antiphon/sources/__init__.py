"""Public material in, MATERIALS out: one module a format, found by the entry point `antiphon.sources`."""
