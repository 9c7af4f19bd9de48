"""Which groups survive."""
