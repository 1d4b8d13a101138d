"""Health: is it well, what is wrong, what to do. Looks only; mends nothing, migrates nothing."""
