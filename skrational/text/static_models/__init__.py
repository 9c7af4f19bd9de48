"""Static embedding models: a tokenizer, and a vector for each of its subwords."""
