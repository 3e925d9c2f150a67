"""Stage: triggers."""
