"""What the console can do, one folder an area. No dash, no flask in here."""
