"""The read API, version 1: JSON for programs and notebooks, described by its OpenAPI document."""
