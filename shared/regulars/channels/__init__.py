"""Stage: channels."""
