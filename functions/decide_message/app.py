"""decide_message: the one arbiter: whom to write to, about what, when, where, or why not."""

from regulars.adapters.lambda_batch import queue_handler
from regulars.compose.decisions import decide_message
from regulars.messages import Moment

handler = queue_handler(Moment, decide_message)
