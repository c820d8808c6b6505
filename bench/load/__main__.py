"""`python -m bench.load JOB TALLY`: does a job and writes what it counted."""

import sys
from pathlib import Path

import uvloop

from bench.load.job import JOB
from bench.load.run import run_job
from bench.load.tally import TALLY


def main(job: Path, tally: Path) -> None:
    """Do it."""
    found = uvloop.run(run_job(JOB.validate_json(job.read_bytes())))
    tally.write_bytes(TALLY.dump_json(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
