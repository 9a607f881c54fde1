"""The words that every room speaks: schemas, ids, instants, and what a stage is."""
