"""From events to shots."""

from copy import replace
from uuid import uuid5

from core.domain.outcome import SHOTS, shot_id
from core.domain.scoring import Face
from core.domain.values import Boot, Event, Rules, ShotFlag, Status
from tests.domain.fields import (
    butt,
    derived,
    engage,
    identified,
    landed,
    micro,
    named,
    only_shot,
    release,
    slot,
    watch,
)


def landings_by_release(events: list[Event], distance: float = 70) -> dict[object, object]:
    """The landing that each release got, of two archers at one butt."""
    where = butt(slot("A"), slot("B", "compound"), distance=distance, arrows=["A1", "B1"])
    return {s.release_event_id: s.landing_event_id for s in derived(events, where).shots}


def test_a_shots_id_is_a_version_5_uuid_of_its_release() -> None:
    event_id = named("r14A")
    assert shot_id(event_id) == uuid5(SHOTS, str(event_id))


def test_an_arrow_that_was_drawn_released_and_landed_is_a_scored_shot() -> None:
    events = [identified(9.5, "A1"), engage(10), release(14), landed(14.5, -12.2, 1.3)]
    shot = only_shot(events, butt(arrows=["A1"]))
    assert (shot.status, shot.score, shot.label, shot.is_x) == (Status.LANDED, 10, "X", True)
    assert (shot.arrow_id, shot.engaged_at, shot.landed_at) == (
        named("arrow A1"),
        micro(10),
        micro(14.5),
    )
    assert (shot.flags, shot.is_settled) == ((), True)


def test_a_shots_id_comes_from_its_release_alone() -> None:
    alone = only_shot([release(14)], butt())
    landing_known = only_shot([release(14), landed(14.5)], butt())
    assert alone.id == landing_known.id == shot_id(named("r14A"))


def test_a_release_is_in_flight_until_its_deadline() -> None:
    before = only_shot([release(14)], butt(), as_of=17.499)
    assert (before.status, before.score, before.deadline) == (Status.IN_FLIGHT, None, micro(17.5))


def test_a_release_without_a_landing_is_a_miss_when_the_reader_was_there() -> None:
    shot = only_shot([release(14)], butt())
    assert (shot.status, shot.score, shot.label, shot.is_settled) == (Status.MISSED, 0, "M", True)


def test_a_miss_on_the_word_of_a_reader_that_only_seems_online_may_still_change() -> None:
    presumed = watch(Boot(None, micro(12)), heard=12)
    shot = only_shot([release(14)], butt(watches=(presumed,)), as_of=18)
    assert (shot.status, shot.is_settled) == (Status.MISSED, False)


def test_nobody_is_presumed_to_have_seen_what_may_be_on_its_way() -> None:
    presumed = watch(Boot(None, micro(12)), heard=12)
    unsure = replace(butt(watches=(presumed,)), unsure=frozenset({release(10).id}))
    shots = derived([release(10), release(14)], unsure, as_of=18).shots
    assert [shot.status for shot in shots] == [Status.UNRESOLVED, Status.MISSED]
    # What its reader said holds all the same.
    proven = replace(butt(), unsure=frozenset({release(14).id}))
    assert only_shot([release(14)], proven).status is Status.MISSED


def test_no_zero_for_an_archer_whose_butt_was_blind() -> None:
    shot = only_shot([release(14)], butt(watches=(watch(),)))
    assert (shot.status, shot.score, shot.label) == (Status.UNRESOLVED, None, None)
    assert ShotFlag.READER_OFFLINE in shot.flags


def test_a_landing_outside_every_window_is_nobodys() -> None:
    outcome = derived([release(14), landed(17.001)], butt())
    assert [s.status for s in outcome.shots] == [Status.MISSED]
    assert [stray.id for stray in outcome.strays] == [named("l17.001")]


def test_no_arrow_is_faster_than_120_metres_a_second() -> None:
    assert only_shot([release(14), landed(14.149)], butt()).status is Status.MISSED
    assert only_shot([release(14), landed(14.15)], butt()).status is Status.LANDED


def test_a_faster_arrow_overtakes_a_slower_one() -> None:
    events = [release(14), release(14.223, "B"), landed(15.058, 1), landed(15.322, 168)]
    assert landings_by_release(events) == {
        named("r14A"): named("l15.322"),
        named("r14.223B"): named("l15.058"),
    }


def test_the_arrows_own_word_outweighs_the_clock() -> None:
    events = [
        *(identified(9.5, "A1"), engage(10), release(14)),
        *(identified(9.7, "B1", "B"), engage(10.2, "B"), release(14.2, "B")),
        *(landed(15.0, 1, arrow="A1"), landed(15.3, 2, arrow="B1")),
    ]
    assert landings_by_release(events) == {
        named("r14A"): named("l15.0"),
        named("r14.2B"): named("l15.3"),
    }


def test_an_arrow_of_another_archer_does_not_land_for_this_one() -> None:
    events = [release(14), landed(15.3, arrow="B1")]
    assert landings_by_release(events) == {named("r14A"): None}


def test_a_landing_names_the_arrow_that_nobody_saw_on_the_bow() -> None:
    events = [engage(10), release(14), landed(14.5, arrow="A1")]
    shot = only_shot(events, butt(arrows=["A1"]))
    assert (shot.arrow_id, shot.flags) == (named("arrow A1"), ())


def test_an_unregistered_arrow_is_flagged_and_still_scores() -> None:
    shot = only_shot([identified(9.5, "A9"), engage(10), release(14), landed(14.5)], butt())
    assert (shot.arrow_id, shot.flags, shot.score) == (None, (ShotFlag.ARROW_UNKNOWN,), 10)


def test_a_reader_that_serves_a_whole_butt_names_arrows_by_their_owner() -> None:
    events = [identified(9.5, "B1", None), engage(10, "B"), release(14, "B"), landed(14.4)]
    where = butt(slot("A"), slot("B"), arrows=["A1", "B1"])
    assert only_shot(events, where).arrow_id == named("arrow B1")


def test_a_hit_on_anothers_face_is_a_miss_that_landed() -> None:
    faces = [
        Face(named("of A"), "wa_80_6ring", -500, 0, "A"),
        Face(named("of B"), "wa_80_6ring", 500, 0, "B"),
    ]
    where = butt(slot("A"), slot("B"), faces=faces)
    shot = only_shot([release(14), landed(14.5, 500, 10)], where)
    assert (shot.status, shot.score, shot.label) == (Status.LANDED, 0, "M")
    assert ShotFlag.WRONG_FACE in shot.flags


def test_faces_tell_two_arrows_apart_that_time_cannot() -> None:
    faces = [
        Face(named("of A"), "wa_80_6ring", -500, 0, "A"),
        Face(named("of B"), "wa_80_6ring", 500, 0, "B"),
    ]
    where = butt(slot("A"), slot("B"), faces=faces)
    events = [release(14), release(14.01, "B"), landed(14.35, 500), landed(14.36, -500)]
    found = {s.release_event_id: s.landing_event_id for s in derived(events, where).shots}
    assert found == {named("r14A"): named("l14.36"), named("r14.01B"): named("l14.35")}


def test_a_butt_without_a_face_leaves_the_shot_landed_and_unscored() -> None:
    shot = only_shot([release(14), landed(14.5, 3, 4)], butt(faces=[]))
    assert (shot.status, shot.score, shot.label, shot.is_unscored) == (
        Status.LANDED,
        None,
        None,
        True,
    )


def test_a_release_outside_the_session_makes_no_shot() -> None:
    assert not derived([release(9.999), release(20.001)], butt(opens=10, closes=20)).shots


def test_an_arrow_shot_in_time_may_land_after_the_end() -> None:
    shot = only_shot([release(19.9), landed(20.3)], butt(opens=10, closes=20))
    assert shot.status is Status.LANDED


def test_a_landing_that_comes_after_its_miss_was_called_is_flagged() -> None:
    shot = only_shot([release(14), landed(14.5, received=60)], butt())
    assert ShotFlag.LATE_LANDING in shot.flags


def test_a_replay_of_release_and_landing_together_is_not_late() -> None:
    shot = only_shot([release(14, received=60), landed(14.5, received=60)], butt())
    assert ShotFlag.LATE_LANDING not in shot.flags


def test_a_sessions_own_landing_window_counts() -> None:
    where = butt(distance=90, rules=Rules(landing_window=micro(6)))
    assert only_shot([release(14), landed(17.686)], where).status is Status.LANDED


def test_events_that_come_twice_are_one() -> None:
    events = [engage(10), release(14), landed(14.5)]
    assert derived(events * 2, butt()) == derived(events, butt())
