"""Compliance: dated, sourced rules, the last days that follow from them, and what a review finds."""
