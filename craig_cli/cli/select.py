"""``craig select``."""

from __future__ import annotations

from dataclasses import replace

import click

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import DATA, PROXY, READING_TABLES, READING_WITH_DEFAULTS, THREADS
from craig_cli.cli.parameters import is_given
from craig_cli.cli.part_options import PART_TABLES, PARTS, parts_from
from craig_cli.cli.selection_options import (
    BUDGET,
    CONSTRAINTS,
    DRY_RUN,
    MEMORY_LIMIT,
    OUTPUT,
    SELECTION,
    SELECTION_TABLES,
    WEIGHTS,
    calibration_settings,
    choices_of,
    constraints_of,
)
from craig_cli.reports.base import Report
from craig_cli.settings import Budget, InputSettings, SelectionSettings, parse_size
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.checks import refuse
from craig_cli.settings.parts import PartSettings


@reporting(
    "select",
    DATA,
    sections=(
        ("How many rows", BUDGET),
        ("Where to", OUTPUT),
        ("What for", WEIGHTS),
        ("How rows are selected", (*SELECTION, PROXY)),
        ("Rows that must be in, or out", CONSTRAINTS),
        ("Time and memory", (THREADS, MEMORY_LIMIT, DRY_RUN)),
        ("In parts", PARTS),
        ("How data is read", READING_WITH_DEFAULTS),
    ),
    usual=(
        *("fraction", "size", "output", "label", "drop", "one_hot", "scale"),
        *("for", "method", "memory_limit", "dry_run", "json"),
    ),
    tables=(*SELECTION_TABLES, *PART_TABLES, *READING_TABLES),
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig select sample_data/sample.csv --size 20 --scale standard -o cs.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --for local -o cs.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --dry-run",
        "craig select sample_data/sample.parquet --mean-epsilon 1.5 --json -o cs.parquet",
        "craig select sample_data/sample.parquet --size 300 --extend cs.parquet -o larger.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --parts 4 --partition cells -o "
        "cs.parquet",
        "craig select sample_data/sample.csv --fraction 0.1 --partial -o sample.partial",
        "craig select - --format csv --fraction 0.1 -o cs.parquet < sample_data/sample.csv",
    ),
)
def command(run: Run) -> Report:
    """Select a coreset of the rows of DATA, a small weighted subset to train on, and write it as a
    manifest: a Parquet file of row numbers and weights.

    DATA are files, directories, quoted patterns, or - for stdin; LIBSVM, CSV, TSV, Parquet, Arrow,
    HDF5, NumPy or IDX, text and IDX also compressed. Give one size: --fraction, --size, --epsilon,
    --mean-epsilon or --budget-cost.

    Epsilon, or coverage cost, is the sum of the distances of all rows to the pick that represents
    them. The default is for models of any kind: medoids, weighted so that linear models come out as
    on all rows. --for local gives the paper's weights, the sizes of the clusters.
    """
    output, is_plan = run["output"], run["dry_run"]
    if output is None and not is_plan:
        raise click.UsageError("Missing option '-o' / '--output'.", run.ctx)
    constraints = constraints_of(run)
    budget = run.make(Budget)
    refuse(
        (budget.budget_cost is None) != (run["cost_column"] is None),
        "--budget-cost and --cost-column go together: give both, or neither (--drop leaves a "
        "column out).",
    )
    parts = parts_from(run)
    method, purpose = choices_of(run)
    prefers_local = any(part is not None for part in (parts, run["proxy"], run["extend"]))
    representative, weights = purpose.choices(
        method, budget.is_open, not run["no_label"], prefers_local
    )
    has_classes = not run["no_label"] and run["task"] != "regression"
    allocation = purpose.allocated(
        method, budget.is_open, has_classes, prefers_local, parts is not None
    )
    limit = run["memory_limit"]
    selection = run.make(
        SelectionSettings,
        budget=budget,
        method=method,
        representative=representative,
        allocation=allocation,
        memory_limit=0 if limit is None else parse_size("--memory-limit", limit),
        extend=(),  # its picks are known once the manifest is read
        **constraints,
    )
    calibration = calibration_settings(weights, run)
    inputs = run.make(
        InputSettings,
        paths=run.paths,
        header=not run["no_header"],
        task_given=is_given(run.ctx, "task"),
    )
    if inputs.weight_column is not None:
        selection.check_weighted()
    run.detail(
        f"method {method}, representative {representative}, weights {weights}, "
        f"allocation {allocation}, metric {selection.metric}, scale {selection.scale}, "
        f"seed {selection.seed}, {selection.n_threads} threads"
    )
    if parts is not None:
        return select_parts(run, inputs, selection, parts, calibration)
    if is_plan:
        return plan(run, inputs, selection, calibration, purpose.may_fall_back)
    from craig_cli.workflows.select import select_to_file

    return select_to_file(
        inputs,
        selection,
        output,
        calibration=calibration,
        may_fall_back=purpose.may_fall_back,
        progress=run.progress,
        **run.only("extend", "force"),
    )


def plan(
    run: Run,
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    may_fall_back: bool = False,
) -> Report:
    """Return what a selection would do."""
    from craig_cli.workflows.plan import plan_selection
    from craig_cli.workflows.select import check_files

    if run["output"] is not None:
        check_files(inputs, run["output"], run["force"])
    return plan_selection(
        inputs,
        selection,
        calibration,
        may_fall_back=may_fall_back,
        extend=run["extend"],
        progress=run.progress,
    )


def select_parts(
    run: Run,
    inputs: InputSettings,
    selection: SelectionSettings,
    parts: PartSettings,
    calibration: CalibrationSettings,
) -> Report:
    """Select in parts, or make the partial manifest of one shard, or say what would be done."""
    from craig_cli.workflows.partial import select_partial
    from craig_cli.workflows.partitioned import check_job, select_in_parts
    from craig_cli.workflows.parts import Job

    job = Job(inputs, selection, parts)
    if run["dry_run"]:
        check_job(job, calibration)
        return plan(run, inputs, replace(selection, memory_limit=0), calibration)
    work = select_partial if run["partial"] else select_in_parts
    return work(
        job, run["output"], calibration=calibration, force=run["force"], progress=run.progress
    )
