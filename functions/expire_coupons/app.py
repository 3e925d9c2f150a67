"""expire_coupons: gives back what unused coupons took."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.offers import expire_coupons

handler = schedule_handler(expire_coupons)
