"""What a server does about garbage before it begins."""

import subprocess
import sys

ASKED = """
import gc
from core.garbage import MIDDLE, OF_WORKER, OLD, settle
settle(OF_WORKER)
assert gc.get_threshold() == (OF_WORKER, MIDDLE, OLD)
print(gc.isenabled(), gc.get_freeze_count())
"""


def test_what_is_there_when_a_server_begins_is_not_looked_through_again() -> None:
    # In a process of its own: what is frozen in this one would be so for all tests.
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=60
    )
    is_enabled, frozen = done.stdout.split()
    assert is_enabled == "True"
    assert int(frozen) > 1_000
