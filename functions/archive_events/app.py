"""archive_events: what the log gained → the archive in the data bucket."""

from regulars.adapters.lambda_batch import stream_batch_handler
from regulars.compose.capture import archive_events

handler = stream_batch_handler(archive_events)
