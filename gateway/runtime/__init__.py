"""The small asyncio shell around the pure core."""
