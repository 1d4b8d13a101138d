"""A seeded, made-up term of a training provider, written as ops would keep it: workbooks and form exports.

Everybody and every company in it is made up. The same seed and day always give the same bytes.
"""
