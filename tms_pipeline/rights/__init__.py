"""Rights: how long data are kept, who may ask for them, and how they are destroyed."""
