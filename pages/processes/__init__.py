"""The page of all processes, and the page of one process's log."""
