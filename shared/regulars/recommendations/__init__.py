"""Stage: recommendations."""
