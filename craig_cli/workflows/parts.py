"""The steps of a selection in parts, each a function of what the steps before have returned: any
engine may run them, anywhere.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError
from craig_cli.files.manifest import Manifest, write_manifest
from craig_cli.files.partial import FileShare, PartialFile
from craig_cli.files.request import describe_request
from craig_cli.readers.fingerprint import fingerprint, hashes_of_rows, joined_fingerprint
from craig_cli.readers.parts import Part, read_part
from craig_cli.selection import Coreset, check_coreset
from craig_cli.selection.class_count import check_class_counts, check_part
from craig_cli.selection.classes import Label
from craig_cli.selection.greedi import Candidates, select_part
from craig_cli.selection.greedi_assign import (
    PartAssignment,
    assign_part,
    merged_coreset,
    resolved_classes,
)
from craig_cli.selection.greedi_merge import Plan, merge_offers, merge_partials
from craig_cli.selection.numbering import by_row_number
from craig_cli.selection.partition_tree import (
    CellRows,
    PartitionTree,
    Sample,
    grow_partition_tree,
    route_part,
    sample_part,
    select_cell,
)
from craig_cli.selection.resolution import naming_far_rows
from craig_cli.selection.shared_scaling import Summary, with_agreed_labels
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.settings.parts import PartSettings
from craig_cli.skipped import SkippedRows, join_skipped
from craig_cli.storage.location import Location


@dataclass(frozen=True)
class Job:
    """What is asked: the same for every step.

    Parameters
    ----------
    inputs : InputSettings
    selection : SelectionSettings
    parts : PartSettings
    """

    inputs: InputSettings
    selection: SelectionSettings
    parts: PartSettings

    def request(self) -> dict[str, Any]:
        """Return the request in JSON types."""
        partition = {"by": self.parts.partition, "oversampling": self.parts.oversampling}
        return {**describe_request(self.inputs, self.selection), "partition": partition}


@dataclass(frozen=True)
class Source:
    """Where the rows of a part came from: the files, which rows were skipped, the fingerprint of
    the rows (None: not known), and what the user should know of how they were read.
    """

    files: tuple[FileShare, ...]
    skipped: SkippedRows
    fingerprint: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """The rows of one part, assigned, and their hashes by their place among all rows."""

    assigned: PartAssignment
    hashes: list[int]


def source_of(dataset: Dataset, part: Part, data_fingerprint: str | None = None) -> Source:
    """Return where the rows of a part came from."""
    files = tuple(
        FileShare(piece.name, rows, Location.of(piece.name).size(), piece.first > 0)
        for piece, rows in zip(part.pieces, np.diff(dataset.file_starts).tolist(), strict=True)
    )
    return Source(files, dataset.skipped, data_fingerprint, dataset.notes)


def skipped_of_all(sources: Sequence[Source]) -> SkippedRows:
    """Return the rows that were skipped in all parts, by their numbers in the whole input."""
    return join_skipped(
        (source.skipped, sum(share.rows for share in source.files)) for source in sources
    )


def offer_of_part(job: Job, part: Part, progress: Progress = no_progress) -> PartialFile:
    """Return what one part offers: the first round."""
    dataset = read_part(job.inputs, part, progress)
    job = replace(job, inputs=replace(job.inputs, index_base=dataset.index_base))
    check_part(job.inputs, dataset)
    source = source_of(dataset, part)
    with naming_far_rows(dataset, [piece.first for piece in part.pieces]):
        partial = select_part(dataset, job.selection, job.parts.oversampling, progress)
    return PartialFile(
        partial,
        source.files,
        job.request(),
        fingerprint(dataset),
        dataset.skipped,
        notes=dataset.notes,
    )


def check_whole(job: Job, summaries: Sequence[Summary]) -> None:
    """Raise `InputError` if the classes of all parts look like none, and the user has not said that
    they are.
    """
    if job.inputs.task_given or job.inputs.task == "regression":
        return
    counts: Counter[Label] = Counter()
    for summary in with_agreed_labels(summaries):
        for label, own in zip(summary.labels, summary.columns, strict=True):
            counts[label] += int(own.n_rows)
    check_class_counts(counts)


def plan_of_partials(job: Job, *files: PartialFile, is_bounded: bool = False) -> Plan:
    """Return the picks among what all parts offer: the second round; with bounds where no row is
    going to be assigned.
    """
    check_whole(job, [file.partial.summary for file in files])
    return merge_partials([file.partial for file in files], job.selection, is_bounded)


def source_of_partial(file: PartialFile) -> Source:
    """Return where a partial's rows came from."""
    return Source(file.files, file.skipped, file.data_fingerprint, file.notes)


def sample_of_part(job: Job, part: Part, n_rows: int) -> tuple[Sample, Source]:
    """Return a sample of the rows of a part, and where they came from."""
    dataset = read_part(job.inputs, part)
    return sample_part(dataset, job.selection, n_rows), source_of(dataset, part)


def partition_tree_of(job: Job, n_cells: int, *samples: tuple[Sample, Source]) -> PartitionTree:
    """Return the trees that send every row to a cell."""
    check_whole(job, [sample.summary for sample, _ in samples])
    return grow_partition_tree([sample for sample, _ in samples], job.selection, n_cells)


def pieces_of_part(
    job: Job, part: Part, number: int, partition_tree: PartitionTree
) -> list[CellRows]:
    """Return the rows of one part, cell by cell."""
    return route_part(read_part(job.inputs, part), number, partition_tree, job.selection)


def offers_of_cell(job: Job, *pieces: CellRows) -> tuple[Candidates, ...]:
    """Return what one cell offers, given its rows from every part."""
    with naming_far_rows():
        return select_cell(pieces, job.selection, job.parts.oversampling)


def plan_of_cells(
    job: Job, partition_tree: PartitionTree, *candidate_sets: tuple[Candidates, ...]
) -> Plan:
    """Return the picks among what all cells offer."""
    return merge_offers(
        partition_tree.shared,
        [candidates for own in candidate_sets for candidates in own],
        job.selection,
    )


def assignment_of_part(
    job: Job, part: Part, number: int, plan: Plan, is_float64: Sequence[bool], source: Source
) -> Assignment:
    """Return the rows of one part, assigned to the picks; raises `InputError` if they are not those
    that its partial was made of.
    """
    dataset = read_part(job.inputs, part)
    if source.fingerprint is not None and fingerprint(dataset) != source.fingerprint:
        problem = "its rows are not those that the partial manifest was made of"
        raise InputError(
            part.pieces[0].name,
            problem,
            remedy="Give the same data, or make the "
            "partial again (craig select "
            "--partial --force).",
        )
    start = int(plan.shared.starts[number])
    dataset = replace(dataset, labels=plan.shared.labelled(dataset.labels))
    return Assignment(
        assign_part(dataset, number, plan, is_float64), hashes_of_rows(dataset, start)
    )


def are_resolved(*assignments: Assignment) -> tuple[bool, ...]:
    """Return which classes float32 resolves, over all parts."""
    return resolved_classes([assignment.assigned for assignment in assignments])


def coreset_of(
    plan: Plan, is_float64: Sequence[bool], *assignments: Assignment
) -> tuple[Coreset, str]:
    """Return the coreset, and the fingerprint of all rows."""
    assigned = [assignment.assigned for assignment in assignments]
    with naming_far_rows():
        coreset = merged_coreset(plan, assigned, is_float64)
    return coreset, joined_fingerprint(
        coreset.n_rows, [assignment.hashes for assignment in assignments]
    )


def manifest_of(
    job: Job, coreset: Coreset, data_fingerprint: str, sources: Sequence[Source]
) -> Manifest:
    """Return the manifest of a coreset that keeps its promises.

    Its rows, which are positions, become row numbers.
    """
    coreset = by_row_number(coreset, skipped_of_all(sources))
    check_coreset(coreset)
    names: list[str] = []
    counts: list[int] = []
    for share in (share for source in sources for share in source.files):
        if share.is_continued and names and names[-1] == share.name:
            counts[-1] += share.rows
        else:
            names.append(share.name)
            counts.append(share.rows)
    several = len(names) > 1
    starts = np.cumsum([0, *counts], dtype=np.int64) if several else np.empty(0, np.int64)
    return Manifest(
        coreset, job.request(), data_fingerprint, tuple(names) if several else (), starts
    )


def written(manifest: Manifest) -> bytes:
    """Return the bytes of a manifest."""
    out = io.BytesIO()
    write_manifest(out, manifest)
    return out.getvalue()


def without_threads(job: Job) -> Job:
    """Return a job whose steps take one thread each: their engine runs several at a time."""
    return replace(job, selection=replace(job.selection, threads=1))
