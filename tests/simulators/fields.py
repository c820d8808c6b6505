"""A simulated field as the API would have made it."""

from typing import Any

from simulators.tournament import Plan, Played, archers, play, start_list


def made(plan: Plan) -> dict[str, Any]:
    """An answer to a start list, with ids that say what they are of."""
    entries = start_list(plan)["entries"]
    return {
        "targets": [
            {"lane": lane, "reader_id": f"0000000{lane} target"}
            for lane in range(1, plan.butts + 1)
        ],
        "slots": [
            {
                "id": f"slot {entry['lane']}{entry['letter']}",
                "lane": entry["lane"],
                "letter": entry["letter"],
                "bow_reader_id": f"0000000{entry['lane']} bow {entry['letter']}",
                "arrow_reader_id": f"0000000{entry['lane']} arrow {entry['letter']}",
                "arrow_ids": [f"arrow {arrow['identifier']}" for arrow in entry["arrows"]],
            }
            for entry in entries
        ],
    }


def played(plan: Plan) -> Played:
    """The tournament, shot."""
    return play(plan, archers(plan, made(plan)))
