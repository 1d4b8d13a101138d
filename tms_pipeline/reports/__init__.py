"""Reports for reviewers: workbooks and one self-contained page, all from the same numbers."""
