"""The outside world: DynamoDB, queues, providers, storage, HTTP and Lambda; and the same ports in memory."""
