"""The cache of contextual features: a database, and files mapped into memory."""
