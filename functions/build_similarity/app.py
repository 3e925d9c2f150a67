"""build_similarity: the archive → neighbours under a new version → the pointer."""

from regulars.adapters.lambda_batch import schedule_handler
from regulars.compose.similarity import build_similarity

handler = schedule_handler(build_similarity)
