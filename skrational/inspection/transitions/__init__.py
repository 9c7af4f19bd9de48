"""What single transitions weigh: words, over a vocabulary."""
