"""build_popularity: hourly: the catalogue snapshot, what sells now, what is new."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.similarity import build_popularity

handler = schedule_handler(build_popularity)
