"""Submission: plans into the outbox, workers out of it, outcomes back, nothing lost and nothing doubled."""
