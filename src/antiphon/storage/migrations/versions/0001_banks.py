"""Banks, their entries, what people hold of them, and the log of changes.

Written out, not taken from the tables of today: this step must make the same tables for ever.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _banks()
    _entries()
    _opinions()
    _changes()


def downgrade() -> None:
    """Remove the tables."""
    for name in ("bank_changes", "bank_opinions", "bank_entries", "banks"):
        op.drop_table(name)


def _banks() -> None:
    op.create_table(
        "banks",
        sa.Column("bank_id", _Id, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("licence", sa.Text),
        sa.Column("marking", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.Column("thresholds", sa.Text, nullable=False),
        sa.UniqueConstraint("name", name="uq_banks_name"),
        sqlite_autoincrement=True,
    )


def _entries() -> None:
    op.create_table(
        "bank_entries",
        sa.Column("rowid", _Id, primary_key=True, autoincrement=False),
        sa.Column("bank_id", _Id, sa.ForeignKey("banks.bank_id", name="fk_bank_entries_bank_id"), nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("signal_type", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("value_hash", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("entity", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("marking", sa.Text),
        sa.Column("valid_from", sa.BigInteger),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("more", sa.Text),
        sa.UniqueConstraint("bank_id", "entry_id", name="uq_bank_entries_bank_id"),
    )
    op.create_index("ix_bank_entries_value", "bank_entries", ["signal_type", "value_hash"])
    for name in ("valid_from", "valid_until"):
        some = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_bank_entries_{name}", "bank_entries", [name], sqlite_where=some, postgresql_where=some)


def _opinions() -> None:
    op.create_table(
        "bank_opinions",
        sa.Column("rowid", _Id, sa.ForeignKey("bank_entries.rowid", name="fk_bank_opinions_rowid"), primary_key=True,
                  autoincrement=False),
        sa.Column("by", sa.Text, primary_key=True),
        sa.Column("opinion", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
    )  # fmt: skip


def _changes() -> None:
    op.create_table(
        "bank_changes",
        sa.Column("seq", _Id, primary_key=True),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("bank_id", _Id, nullable=False),
        sa.Column("bank", sa.Text, nullable=False),
        sa.Column("entry_id", sa.Text),
        sa.Column("first_row", _Id),
        sa.Column("last_row", _Id),
        sa.Column("detail", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bank_changes_bank_rows", "bank_changes", ["bank_id", "first_row"])
    op.create_index("ix_bank_changes_last_row", "bank_changes", ["last_row"])
