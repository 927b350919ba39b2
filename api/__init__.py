"""Flask routes beside the pages: log-in, live, health, REST. They call services and nothing below."""
