"""``craig merge``: from what all shards offer to a coreset of all their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import InputError, ManifestError, UsageError
from craig_cli.files.manifest import is_manifest
from craig_cli.files.partial import PartialFile, read_partial
from craig_cli.files.request import restore_settings
from craig_cli.readers.fingerprint import fingerprint_of_parts
from craig_cli.readers.parts import Part, Piece
from craig_cli.readers.sources import expand_sources
from craig_cli.reports.select import SelectReport
from craig_cli.selection.greedi_assign import merged_coreset
from craig_cli.settings import InputSettings
from craig_cli.settings.parts import PartSettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.storage.location import Location
from craig_cli.workflows import parts as steps
from craig_cli.workflows.engines import LocalEngine
from craig_cli.workflows.partitioned import assign_all, report_in_parts
from craig_cli.workflows.parts import Job
from craig_cli.workflows.stopwatch import Stopwatch


@dataclass(frozen=True)
class MergeFiles:
    """What a merge reads and writes.

    Parameters
    ----------
    partials : tuple of str
        In the order of the shards.
    output : str
        ``-`` is stdout.
    data : tuple of str
        The files of all shards, in their order; none: where the partials say they are.
    force : bool
        Replace an output that is not a manifest.
    """

    partials: tuple[str, ...]
    output: str
    data: tuple[str, ...] = ()
    force: bool = False


def merge_to_file(
    files: MergeFiles, threads: int, assign: bool, progress: Progress = no_progress
) -> SelectReport:
    """Merge partial manifests, write the manifest, and return what was done.

    Parameters
    ----------
    files : MergeFiles
    threads : int
        0: the CPUs this process may use.
    assign : bool
        Read the rows of all shards once, for true weights and epsilon; else those of the shards
        stand, as bounds.
    progress : Progress
        Called with stages "merge" and "assign part", and shards.
    """
    check_output(files.output, [*files.partials, *files.data], is_manifest, files.force)
    watch = Stopwatch()
    with watch.stage("read"):
        partial_files = [read_partial(path) for path in files.partials]
        job = job_of(files.partials, partial_files, threads)
    with watch.stage("merge"):
        progress("merge", len(partial_files), len(partial_files))
        plan = steps.plan_of_partials(job, *partial_files, is_bounded=not assign)
    sources = [steps.source_of_partial(partial_file) for partial_file in partial_files]
    if assign:
        cut = data_parts(files, partial_files, job.inputs)
        check_not_input(files.output, [piece.name for part in cut for piece in part.pieces])
        with watch.stage("assign"):
            coreset, data_fingerprint = assign_all(job, LocalEngine(), cut, plan, sources, progress)
    else:
        coreset = merged_coreset(plan, None, (False,) * len(plan.classes))
        data_fingerprint = fingerprint_of_parts(
            [partial_file.data_fingerprint for partial_file in partial_files]
        )
    manifest = steps.manifest_of(job, coreset, data_fingerprint, sources)
    with watch.stage("write"), open_output(files.output) as out:
        out.write(steps.written(manifest))
    return report_in_parts(job, files.output, coreset, sources, plan.n_candidates, watch.seconds)


def job_of(paths: tuple[str, ...], partial_files: list[PartialFile], threads: int) -> Job:
    """Return the job that all partials were made for; raises `ManifestError` if they were not made
    for one.
    """
    first = partial_files[0]
    for path, partial_file in zip(paths, partial_files, strict=True):
        if partial_file.request != first.request:
            name = next(
                key
                for key in sorted({*first.request, *partial_file.request})
                if first.request.get(key) != partial_file.request.get(key)
            )
            bases = [of.request.get("input", {}).get("index_base") for of in (partial_file, first)]
            if name == "input" and bases[0] != bases[1]:
                problem = (
                    f"its columns count from {bases[0]}, and those of {paths[0]} from {bases[1]}"
                )
                remedy = "Make those that count from 1 again with --index-base 0."
                raise ManifestError(path, problem, remedy=remedy)
            problem = (
                f"it was made with other options than {paths[0]} (the first difference: {name})"
            )
            raise ManifestError(path, problem, remedy="Make all partials with the same options.")
    inputs, selection = restore_settings(paths[0], first.request, ("-",), {}, threads)
    try:
        partition = first.request["partition"]
        return Job(
            inputs,
            selection,
            PartSettings(partition=partition["by"], oversampling=partition["oversampling"]),
        )
    except (KeyError, TypeError, UsageError) as error:
        raise ManifestError(
            paths[0], "footer: 'request' is not one of this version of craig"
        ) from error


def data_parts(
    files: MergeFiles, partial_files: list[PartialFile], inputs: InputSettings
) -> list[Part]:
    """Return the shards as parts of the data: where the partials say they are, or where the user
    does.

    Raises
    ------
    UsageError
        There are not as many files as the partials were made of.
    InputError
        A file is not where its partial says.
    """
    shares = [share for partial_file in partial_files for share in partial_file.files]
    if files.data:
        names = [source.name for source in expand_sources(replace(inputs, paths=files.data))]
        if len(names) != len(shares):
            raise UsageError(
                f"--data: {len(names)} files, and the partials were made of "
                f"{len(shares)}. Name them all, in the order of the partials."
            )
    else:
        names = [share.name for share in shares]
        missing = next((name for name in names if not Location.of(name).exists()), None)
        if missing is not None:
            remedy = (
                "Name the files of all shards by --data, in the order of the partials, or "
                "use "
                "--no-assign."
            )
            raise InputError(missing, "the shard is not where its partial says", remedy=remedy)
    left = iter(names)
    return [
        Part(tuple(Piece(next(left)) for _ in partial_file.files)) for partial_file in partial_files
    ]
