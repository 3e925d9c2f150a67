"""sweep_lifecycle: daily stages, tiers and RFM of every shopper, and the win-back moments they call for."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.profiles import sweep_lifecycle

handler = schedule_handler(sweep_lifecycle)
