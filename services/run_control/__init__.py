"""Run control: drunc's sessions, processes and trees, polled and commanded."""
