"""plan_triggers: writes and cancels timers for what shoppers do."""

from regulars.adapters.lambda_batch import stream_handler
from regulars.compose.triggers import plan_triggers

handler = stream_handler(plan_triggers)
