"""Garbage that refers to itself, looked for so that nobody waits for it."""

import gc

# A look at all that is old stops a process for a tenth of a second and more: thousands of objects
# for each viewer, each butt. Little of it is garbage, since most goes by itself.
YOUNG, MIDDLE, OLD = 10_000, 10, 100


def settle() -> None:
    """Leave all that is there by now, which stays, out of every later look, and look at what is old
    seldom; to be said once, when a server is made and not yet begun."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
