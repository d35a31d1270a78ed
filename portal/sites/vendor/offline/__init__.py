"""Working offline: a workbook or CSV file out, and back in by way of a comparison."""
