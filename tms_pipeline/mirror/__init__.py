"""The mirror: what SSG was last seen to hold, per record kind, with when and how it was seen."""
