"""Generation G3 of drunc (late 2025 and newer, contract section 6)."""
