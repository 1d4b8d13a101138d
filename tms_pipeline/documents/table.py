"""Rows of Markdown tables."""

from __future__ import annotations


def row(*cells: str) -> str:
    """One row; a bar or a line break in a cell breaks nothing."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
