"""The command line: from a table of texts to a model, its predictions and reasons."""
