"""Garbage that refers to itself, looked for so that nobody waits for it."""

import gc

# A look at all that is old stops a process for a tenth of a second and more: thousands of objects
# for each viewer, each butt. Little of it is garbage, since most goes by itself.
MIDDLE, OLD = 10, 100
# So many objects more than at the last look are looked through for garbage. A worker makes as many
# in a moment, and with a replay's butts that it remembers; some hundred of them are garbage.
OF_API, OF_WORKER = 10_000, 100_000


def settle(young: int) -> None:
    """Leave all that is there by now, which stays, out of every later look, and look at what is old
    seldom; to be said once, when a server is made and not yet begun.

    Args:
        young: How many objects more there are before those that are new are looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, MIDDLE, OLD)
