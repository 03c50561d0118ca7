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
    *OUTPUT,
    *BUDGET,
    *SELECTION,
    PROXY,
    *CONSTRAINTS,
    *WEIGHTS,
    THREADS,
    MEMORY_LIMIT,
    *PARTS,
    *READING_WITH_DEFAULTS,
    DRY_RUN,
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
    """Select a small weighted subset (coreset) of the rows of DATA and write it as a manifest: a
    Parquet file of row numbers, weights and the error bound epsilon.

    DATA are files, directories, quoted patterns, or - for stdin; LIBSVM, CSV, TSV, Parquet, HDF5 or
    IDX, text and IDX also compressed. Give exactly one of --fraction, --size, --epsilon,
    --mean-epsilon and --budget-cost.

    Linear models of any regulariser come out nearest to those of all rows from random rows of
    greedy's clusters with calibrated weights; models that look at neighbourhoods do better with the
    paper's medoids: say which by --for.
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
