"""Generation G1 of drunc (October 2024, contract section 4)."""
