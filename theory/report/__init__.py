"""All experiments as one page that a person can read, and as JSON: every claim with its verdict and its numbers."""

from theory.report.page import as_html
from theory.report.sections import Section, as_json, as_text, summary
from theory.report.words import WORDS

__all__ = ["WORDS", "Section", "as_html", "as_json", "as_text", "summary"]
