"""The steps that bring a register to the tables of this version, run by Alembic."""
