"""Simulated fields as the API would have made them."""

from simulators.shooting import Played, play
from simulators.tournament import Plan, archers, rehearsal


def played(plan: Plan) -> Played:
    """The tournament, shot."""
    return play(plan, archers(plan, rehearsal(plan)))
