"""fire_timers: reads what is due since the watermark and emits it as moments."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.triggers import fire_timers

handler = schedule_handler(fire_timers)
