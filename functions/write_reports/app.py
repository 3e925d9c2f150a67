"""write_reports: the daily KPI report against the goals."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.metrics import write_reports

handler = schedule_handler(write_reports)
