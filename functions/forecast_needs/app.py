"""forecast_needs: daily: who buys again, when and what, what it is worth, which categories will be needed."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.needs import forecast_needs

handler = schedule_handler(forecast_needs)
