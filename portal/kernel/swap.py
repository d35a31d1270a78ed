"""Compare and set: the one helper behind submit, claim, decide, redeem and pause. It says won or lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.kernel.database import Base
from portal.kernel.ledger import Tx


def swap(tx: Tx, row: Base, *, expect: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    """Change a stored row only if it still is as expected; return whether it was.

    Under READ COMMITTED the UPDATE waits for a rival and then looks again, so of two at once exactly one wins.
    The row in hand shows the change when won; when lost, it is expired so that its next reading is the truth.
    """
    mapper = sa.inspect(type(row))
    table = mapper.local_table
    identity = mapper.primary_key_from_instance(row)
    tx.session.flush()
    statement = (
        sa.update(mapper.class_)
        .where(
            *[column == value for column, value in zip(mapper.primary_key, identity, strict=True)],
            *[_matches(table.c[name], value) for name, value in expect.items()],
        )
        .values(**change)
        .returning(*mapper.primary_key)
        .execution_options(synchronize_session=False)
    )
    won = tx.session.execute(statement).first() is not None
    if won:
        for name, value in change.items():
            if isinstance(value, sa.ColumnElement):
                tx.session.expire(row, [name])
            else:
                set_committed_value(row, name, value)
    else:
        tx.session.refresh(row)
    return won


def _matches(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    if isinstance(value, set | frozenset | list | tuple):
        return column.in_(list(value))
    return column.is_(None) if value is None else column == value
