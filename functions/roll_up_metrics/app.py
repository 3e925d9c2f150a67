"""roll_up_metrics: what the log and the ledger tell, counted once per day."""

from regulars.adapters.lambda_batch import stream_batch_handler
from regulars.compose.metrics import roll_up_metrics

handler = stream_batch_handler(roll_up_metrics)
