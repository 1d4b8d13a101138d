"""What a night need not look at again: which runs are at one with SSG, which are over for good, and what undoes it."""
