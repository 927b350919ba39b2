"""Generation G2 of drunc (mid-2025, contract section 5)."""
