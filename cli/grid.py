"""The rules tried on fields of every kind, and what must come of it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cli.evaluation_view import as_markdown, errors
from cli.trial import Result, Trial, run_trial

BEGIN_MARK, END_MARK = "<!-- grid begins -->", "<!-- grid ends -->"
DISTANCES = (18.0, 50.0, 70.0)
# Event times off by so many milliseconds, and the share of events lost.
FAULTS = ((10.0, 0.01), (20.0, 0.1))
OFFSETS = (0.0, 2.0)

# At most so many times the oracle's errors: of an archer's first twenty shots, and of later ones.
FIRST_RATIO, LATER_RATIO = 1.4, 1.15
WRONG_SAID_DOUBTFUL = 0.9
RIGHT_SAID_DOUBTFUL = {10.0: 0.02, 20.0: 0.04}
SURE_AND_RIGHT = 0.95
OWN_FACES_RATIO = 0.1


def trials(shots: int, seed: int) -> list[Trial]:
    """All fields of the grid."""
    found = [
        Trial(distance, noise, loss, offset, shots=shots, seed=seed)
        for offset in OFFSETS
        for distance in DISTANCES
        for noise, loss in FAULTS
    ]
    own = [
        Trial(distance, *FAULTS[0], own_faces=True, shots=shots, seed=seed)
        for distance in DISTANCES
    ]
    return [*found, *own]


def run_grid(shots: int, seed: int) -> Iterator[Result]:
    """Try each, side by side, in their order."""
    with ProcessPoolExecutor(os.process_cpu_count() or 1) as pool:
        yield from pool.map(run_trial, trials(shots, seed))


def missed_goals(results: Sequence[Result]) -> list[str]:
    """What was not reached, a sentence each."""
    return [sentence for result in results for sentence in _missed(result, results)]


def _missed(result: Result, results: Sequence[Result]) -> Iterator[str]:
    trial, ours = result.trial, result.ours
    where = f"{trial.distance:g} m, {trial.noise_ms:g} ms, {100 * trial.loss:g} % lost"
    if ours.counted_twice:
        yield f"{where}: {ours.counted_twice} landings are counted twice"
    if trial.own_faces:
        shared = [r for r in results if _but_for_faces(r.trial) == _but_for_faces(trial)]
        most = max((errors(r.ours) for r in shared if not r.trial.own_faces), default=None)
        if most is not None and errors(ours) > max(1, OWN_FACES_RATIO * most):
            yield f"{where}: {errors(ours)} errors with own faces, {most} with one"
        return
    for first, most_ratio in ((True, FIRST_RATIO), (False, LATER_RATIO)):
        if result.ratio(first=first) > most_ratio:
            which = "first shots" if first else "later shots"
            yield f"{where}: {result.ratio(first=first):.2f} times the oracle's errors ({which})"
    if errors(ours) and ours.ambiguous(right=False) < WRONG_SAID_DOUBTFUL:
        yield f"{where}: only {100 * ours.ambiguous(right=False):.0f} % of the wrong are ambiguous"
    if ours.ambiguous(right=True) > RIGHT_SAID_DOUBTFUL.get(trial.noise_ms, 1.0):
        yield f"{where}: {100 * ours.ambiguous(right=True):.2f} % of the right are ambiguous"
    sure = [b for b in ours.calibration() if b.begins >= 0.9]
    right = sum(b.right * b.shots for b in sure) / max(1, sum(b.shots for b in sure))
    if right < SURE_AND_RIGHT:
        yield f"{where}: of those said 0.9 to 1 only {100 * right:.1f} % are right"


def _but_for_faces(trial: Trial) -> tuple[float, float, float, float, int]:
    return trial.distance, trial.noise_ms, trial.loss, trial.offset_s, trial.seed


def write_grid(path: Path, results: Sequence[Result]) -> None:
    """Put the table between the two marks of a document.

    Raises:
        ValueError: The marks are not there.
    """
    text = path.read_text()
    head, begin, rest = text.partition(BEGIN_MARK)
    _, end, tail = rest.partition(END_MARK)
    if not begin or not end:
        raise ValueError(f"{path} has no {BEGIN_MARK} and {END_MARK}")
    path.write_text(f"{head}{begin}\n{as_markdown(results)}\n{end}{tail}")
