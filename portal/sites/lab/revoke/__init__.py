"""Taking an approval back by two, and the sealed records of what closed and opened access."""
