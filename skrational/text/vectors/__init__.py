"""Tables of word vectors, and the feature rows of the words that texts hold."""
