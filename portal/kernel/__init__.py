"""What everything stands on: database, transaction, actor, errors, ids, clock. Knows no business."""
