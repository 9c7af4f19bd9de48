"""Single predictions, explained: as values, as text and HTML, as pictures."""
