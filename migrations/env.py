"""Alembic's entry: runs on the connection it is handed, one transaction a revision, with a short lock wait."""

from alembic import context

from portal.kernel.database import Base
from portal.models import ALL_MODELS

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Migrations are run with: flask migrate")

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transaction_per_migration=True,
    compare_type=True,
    include_object=lambda _thing, name, kind, *_rest: kind != "table" or name in Base.metadata.tables,
    user_module_prefix="sa.",
)
assert ALL_MODELS, "the tables of all rooms"  # noqa: S101 - imported for its effect
with context.begin_transaction():
    context.run_migrations()
