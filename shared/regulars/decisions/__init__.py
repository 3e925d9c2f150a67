"""Stage: decisions."""
