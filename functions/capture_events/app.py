"""capture_events: one shopper's events applied once: log, tags, cart, purchases, contacts, identity, feeds."""

from regulars.adapters.lambda_batch import queue_handler
from regulars.compose.capture import capture_events
from regulars.messages import EventUnit

handler = queue_handler(EventUnit, capture_events)
