"""The messages page: one live feed, its filter, its inspector."""
