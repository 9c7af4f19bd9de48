"""How automata match documents: the paths they take, and what each token does."""
