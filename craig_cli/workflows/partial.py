"""``craig select --partial``: what one shard offers, for ``craig merge``."""

from __future__ import annotations

from craig_cli import __version__
from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import ManifestError
from craig_cli.files.partial import PartialFile, is_partial, read_partial, write_partial
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers.parts import Part, Piece, file_names
from craig_cli.reports.partial import PartialReport
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.workflows.engines import LocalEngine
from craig_cli.workflows.partitioned import check_job, with_index_base
from craig_cli.workflows.parts import Job, offer_of_part
from craig_cli.workflows.stopwatch import Stopwatch


def select_partial(
    job: Job,
    output: str,
    *,
    calibration: CalibrationSettings | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> PartialReport:
    """Write what one shard offers to `output`, and return what was done; a shard that an earlier
    run has finished is kept.

    Parameters
    ----------
    job : Job
    output : str
        ``-`` stands for stdout. Checked before anything is read.
    calibration : CalibrationSettings, optional
        Only checked: calibration takes all rows in one place.
    force : bool
        Make it again, and replace an existing file whatever it is.
    progress : Progress
    """
    check_job(job, calibration or CalibrationSettings())
    check_output(output, job.inputs.paths, is_partial, force, "partial manifest")
    watch = Stopwatch()
    names = file_names(job.inputs)
    check_not_input(output, names)
    made = None if force else finished_before(job, output, names)
    is_kept = made is not None
    if made is None:
        with watch.stage("select"):
            made = offer_of_part(job, Part(tuple(map(Piece, names))), progress)
        with watch.stage("write"), open_output(output) as out:
            write_partial(out, made)
    summary = made.partial.summary
    candidates = sum(len(candidates.rows) for candidates in made.partial.candidate_sets)
    return PartialReport(
        output=output,
        rows=summary.n_rows,
        columns=summary.n_columns,
        skipped_rows=len(made.skipped),
        skipped=made.skipped.reasons,
        candidates=candidates,
        is_kept=is_kept,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=made.notes,
    )


def finished_before(job: Job, output: str, names: tuple[str, ...]) -> PartialFile | None:
    """Return the partial in a file, if it is what this run would make: of the same request,
    version, and files of the same names and sizes.

    That the rows are the same is checked when they are assigned, by their fingerprint.
    """
    location = Location.of(output)
    if location.is_stream or not location.exists():
        return None
    try:
        made = read_partial(output)
    except ManifestError:
        return None
    files = [(name, Location.of(name).size()) for name in names]
    if made.craig_version != __version__ or [(f.name, f.bytes) for f in made.files] != files:
        return None
    if job.inputs.index_base == "auto":
        job, _ = with_index_base(job, LocalEngine(), names)
    return made if made.request == job.request() else None
