"""Alarms: what needs somebody, raised from what the collector sees, acknowledged and shelved by people."""
