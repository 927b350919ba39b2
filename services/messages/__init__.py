"""Messages: what Kafka carried, stored once, queried fast."""
