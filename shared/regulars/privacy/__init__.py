"""Stage: privacy."""
