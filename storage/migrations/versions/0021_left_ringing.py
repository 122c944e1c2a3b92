"""Who let it ring, of a month of ten million calls a year: an index of the few offers that may count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0018"
branch_labels = None
depends_on = None

_LEFT = sa.text("answered_at IS NULL OR ring_s IS NULL OR ring_s > 10.0")


def upgrade() -> None:
    op.create_index("ix_offers_left", "offers", ["rang_at"], sqlite_where=_LEFT, postgresql_where=_LEFT)


def downgrade() -> None:
    op.drop_index("ix_offers_left", "offers")
