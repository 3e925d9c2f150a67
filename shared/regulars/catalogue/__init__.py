"""Stage: catalogue."""
