"""Make text of what the stages say: diagnostics, progress, tables. Nothing here prints or decides."""
