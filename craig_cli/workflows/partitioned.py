"""``craig select --parts``: the whole of a selection in parts, on any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeAlias

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.files.manifest import is_manifest
from craig_cli.readers.agreement import FROM_0
from craig_cli.readers.parts import (
    Part,
    Piece,
    count_rows,
    equal_parts,
    file_names,
    has_index_0,
)
from craig_cli.reports.select import SelectReport
from craig_cli.selection import Coreset
from craig_cli.selection.assignment import with_enough_digits
from craig_cli.selection.greedi import check_partitioned
from craig_cli.selection.partition_tree import SAMPLE_A_CELL
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.parts import needs_all_rows
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.workflows import parts as steps
from craig_cli.workflows.engines import Engine, open_engine
from craig_cli.workflows.parts import Job, Source
from craig_cli.workflows.select import report_of
from craig_cli.workflows.stopwatch import Stopwatch

Notes: TypeAlias = tuple[str, ...]
NOT_CALIBRATED = (
    "The weights were not calibrated, which takes the rows in one place: craig "
    "calibrate does so afterwards."
)


def check_job(job: Job, calibration: CalibrationSettings) -> None:
    """Raise `UsageError` for what cannot be selected in parts."""
    check_partitioned(job.selection)
    for option, given in (
        ("--proxy", job.inputs.proxy),
        ("--weight-column", job.inputs.weight_column),
        ("--cost-column", job.inputs.cost_column),
        ("--id", job.inputs.id_column),
    ):
        if given is not None:
            raise needs_all_rows(option)
    if job.inputs.missing in ("mean", "median"):
        raise needs_all_rows(f"--missing {job.inputs.missing}")
    if job.selection.memory_limit and (
        job.parts.engine != "dask" or job.parts.scheduler is not None
    ):
        raise UsageError(
            "--memory-limit: in parts it is for the workers of a local --engine dask. "
            "Leave it out, and make more --parts instead."
        )
    if calibration.weights == "calibrated":
        raise UsageError(
            "--weights calibrated: calibration takes all rows in one place, and they are selected "
            "from in parts. "
            "Use --weights cluster, and craig calibrate afterwards."
        )


def select_in_parts(
    job: Job,
    output: str,
    *,
    calibration: CalibrationSettings | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> SelectReport:
    """Select a coreset in parts, write its manifest to `output`, and return what was done.

    Parameters
    ----------
    job : Job
    output : str
        ``-`` stands for stdout. Checked before anything is read.
    calibration : CalibrationSettings, optional
        Only checked: calibration takes all rows in one place.
    force : bool
        Replace an existing file that is not a manifest.
    progress : Progress
        Called with stages "offer", "merge" and "assign part", and parts.

    Notes
    -----
    The engine holds rows, candidates and picks; this process sees names, counts, and the manifest.
    """
    calibration = calibration or CalibrationSettings()
    check_job(job, calibration)
    check_output(output, job.inputs.paths, is_manifest, force)
    watch = Stopwatch()
    names = file_names(job.inputs)
    check_not_input(output, names)
    n_workers = job.selection.n_threads
    if job.parts.engine == "dask":
        job = steps.without_threads(job)
    with open_engine(job.parts, n_workers, job.selection.memory_limit) as engine:
        with watch.stage("cut"):
            told: Notes = ()
            if job.inputs.index_base == "auto":
                job, told = with_index_base(job, engine, names)
            cut = cut_parts(job, engine, names)
        with watch.stage("select"):
            plan, sources = (
                plan_by_rows(job, engine, cut, progress)
                if job.parts.partition == "rows"
                else plan_by_cells(job, engine, cut, progress)
            )
            n_candidates = engine.result(engine.submit(attrgetter("n_candidates"), plan))
        with watch.stage("assign"):
            coreset, data_fingerprint = assign_all(job, engine, cut, plan, sources, progress)
        found = engine.result(sources)
    manifest = steps.manifest_of(job, coreset, data_fingerprint, found)
    with watch.stage("write"), open_output(output) as out:
        out.write(steps.written(manifest))
    report = report_in_parts(job, output, coreset, found, n_candidates, watch.seconds)
    if calibration.weights != "cluster":
        told = (*told, NOT_CALIBRATED)
    return replace(report, notes=(*report.notes, *told))


def with_index_base(job: Job, engine: Engine, names: tuple[str, ...]) -> tuple[Job, Notes]:
    """Return the job with the first column of LIBSVM text, agreed over all files, and what the user
    should know of it.
    """
    found = engine.result([engine.submit(has_index_0, job.inputs, name) for name in names])
    inputs = replace(job.inputs, index_base=0 if any(found) else 1)
    return replace(job, inputs=inputs), (FROM_0,) if any(found) else ()


def cut_parts(job: Job, engine: Engine, names: tuple[str, ...]) -> list[Part]:
    """Return the parts of the input."""
    if job.parts.parts is None:
        return [Part((Piece(name),)) for name in names]
    counts = engine.result([engine.submit(count_rows, job.inputs, name) for name in names])
    return equal_parts(names, counts, job.parts.parts)


def plan_by_rows(
    job: Job, engine: Engine, cut: list[Part], progress: Progress
) -> tuple[Any, list[Any]]:
    """Return handles of the plan, and of where the rows of each part came from, each part being
    rows as they lie.
    """
    partials = []
    for done, part in enumerate(cut):
        progress("offer", done, len(cut))
        partials.append(engine.submit(steps.offer_of_part, job, part))
    progress("merge", len(cut), len(cut))
    plan = engine.submit(steps.plan_of_partials, job, *partials)
    return plan, [engine.submit(steps.source_of_partial, partial) for partial in partials]


def plan_by_cells(
    job: Job, engine: Engine, cut: list[Part], progress: Progress
) -> tuple[Any, list[Any]]:
    """Return handles of the plan, and of where the rows of each part came from, the rows being sent
    to compact cells, as many as parts.
    """
    samples = [engine.submit(steps.sample_of_part, job, part, SAMPLE_A_CELL) for part in cut]
    partition_tree = engine.submit(steps.partition_tree_of, job, len(cut), *samples)
    pieces = [
        engine.submit(steps.pieces_of_part, job, part, number, partition_tree)
        for number, part in enumerate(cut)
    ]
    candidate_sets = []
    n_cells = engine.result(engine.submit(attrgetter("n_cells"), partition_tree))
    for cell in range(n_cells):
        progress("offer", cell, n_cells)
        candidate_sets.append(
            engine.submit(steps.offers_of_cell, job, *(engine.take(own, cell) for own in pieces))
        )
    progress("merge", n_cells, n_cells)
    return engine.submit(steps.plan_of_cells, job, partition_tree, *candidate_sets), [
        engine.take(sample, 1) for sample in samples
    ]


def assign_all(
    job: Job, engine: Engine, cut: list[Part], plan: Any, sources: list[Any], progress: Progress
) -> tuple[Coreset, str]:
    """Return the coreset that an assignment of all rows makes, and the fingerprint of these;
    classes that float32 does not resolve go twice.
    """
    n_classes = len(engine.result(engine.submit(attrgetter("shared.labels"), plan)))

    def attempt(flags: tuple[bool, ...]) -> tuple[Any, Sequence[bool]]:
        assignments = []
        for number, (part, source) in enumerate(zip(cut, sources, strict=True)):
            progress("assign part", number, len(cut))
            own = (job, part, number, plan, flags, source)
            assignments.append(engine.submit(steps.assignment_of_part, *own))
        resolved = engine.result(engine.submit(steps.are_resolved, *assignments))
        return (flags, *assignments), resolved

    found = with_enough_digits(n_classes, attempt)
    coreset, data_fingerprint = engine.result(engine.submit(steps.coreset_of, plan, *found))
    return coreset, data_fingerprint


def report_in_parts(
    job: Job,
    output: str,
    coreset: Coreset,
    sources: list[Source],
    n_candidates: int,
    seconds: dict[str, float],
) -> SelectReport:
    """Return what was done."""
    notes = dict.fromkeys(note for source in sources for note in source.notes)
    told = f"Selected in {len(coreset.parts)} parts, from {n_candidates:,} candidates."
    reason = "the rows are selected from in parts" if job.selection.method == "auto" else ""
    coreset = replace(coreset, reason=reason, notes=(*notes, *coreset.notes, told))
    return report_of(output, coreset, steps.skipped_of_all(sources), seconds)
