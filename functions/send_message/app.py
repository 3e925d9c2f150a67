"""send_message: claims, renders and hands one message to its provider."""

from regulars.adapters.lambda_batch import queue_handler
from regulars.compose.channels import send_message
from regulars.messages import SendOrder

handler = queue_handler(SendOrder, send_message, counts_tries=True)
