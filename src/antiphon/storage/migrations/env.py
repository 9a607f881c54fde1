"""Runs the steps on the connection that the register hands over, inside its transaction."""

from alembic import context

from antiphon.storage.register import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True,
    render_as_batch=True,
)  # fmt: skip
context.run_migrations()
