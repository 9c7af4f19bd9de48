"""The phrases of a corpus that each WFSA scores highest and lowest.

Version 0.1.0 had its classes here, so that its pickles look for them here.
"""

from skrational.inspection.phrases.phrases import Phrase, Phrases
from skrational.inspection.phrases.search import top_phrases

__all__ = ["Phrase", "Phrases", "top_phrases"]
