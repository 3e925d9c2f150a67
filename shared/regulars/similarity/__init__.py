"""Stage: similarity."""
