"""enforce_retention: deletes what has outlived its retention."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.privacy import enforce_retention

handler = schedule_handler(enforce_retention)
