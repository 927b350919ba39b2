"""What changed and when: recorded where it changes, read by timelines and the transition board."""
