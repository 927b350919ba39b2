"""Functions from plain data to Dash components. No network, no database, no request in here."""
