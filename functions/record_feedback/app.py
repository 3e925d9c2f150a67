"""record_feedback: what providers, links and shoppers say → ledger, suppression, attribution."""

from regulars.adapters.lambda_batch import raw_queue_handler
from regulars.compose.feedback import record_feedback

handler = raw_queue_handler(record_feedback)
