"""A program that ties itself to its parent, lets go of root, and then becomes another program.

`tether.py SIGNAL PARENT USER GROUP PASS COMMAND…`: SIGNAL is what it will be sent when process
PARENT dies. USER and GROUP are whom it runs as, `-` for no change. PASS is `yes` when it must pass
directories that only root may enter, such as a checkout in root's home: it then keeps that one
capability rather than the directories being opened to all.

It is run by path, so it imports the standard library alone. All this could be done between fork and
exec in the parent too, but that is not safe once the parent has threads.
"""

import ctypes
import os
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
# CAP_DAC_READ_SEARCH is the narrow one; containers often withhold it and leave CAP_DAC_OVERRIDE.
PASSING = (2, 1)

_LIBC = ctypes.CDLL(None, use_errno=True)


def _prctl(*arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0)[:4]]
    if _LIBC.prctl(ctypes.c_int(arguments[0]), *padded[1:], ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _keep_only(capability: int) -> bool:
    """Whether this capability is ours to keep; all others are let go."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, twice: the low 32 capabilities, then the high ones.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    return bool(_LIBC.capset(header, sets) == 0)


def become(user: int, group: int, *, passing: bool) -> None:
    """Run as another user from here on.

    Args:
        user: Whose id.
        group: The only group.
        passing: Keep the right to enter every directory.

    Raises:
        OSError: We may not.
    """
    if passing:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if passing:
        for capability in PASSING:
            if _keep_only(capability):
                _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
                return
        raise PermissionError("root may not let another user into its directories here")


def tie(signum: int, parent: int) -> None:
    """Be sent a signal when the parent dies; end at once when it has died already."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:
            sys.exit("tether: the parent is gone")


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say; returns only by an error."""
    signum, parent, user, group, passing, *command = arguments
    if user != "-":
        become(int(user), int(group), passing=passing == "yes")
    # Last, since a change of user undoes it.
    tie(int(signum), int(parent))
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"tether: {error}")
