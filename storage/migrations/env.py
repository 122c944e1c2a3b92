"""Alembic's entry: migrates over the connection, and in the transaction, that ``storage.engine`` hands in."""

from __future__ import annotations

from alembic import context

from storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
