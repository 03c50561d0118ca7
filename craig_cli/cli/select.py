"""``craig select``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from craig_cli.cli import options as opt
from craig_cli.cli.part_options import PART_TABLES, parts_from, parts_options
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.settings import BUDGETS, Budget, InputSettings, SelectionSettings, parse_size
from craig_cli.settings.parts import PartSettings


@click.command(
    "select",
    cls=opt.Command,
    tables=(*opt.SELECTION_TABLES, *PART_TABLES, *opt.READING_TABLES),
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
@click.argument("data", nargs=-1, metavar="DATA...")
@opt.output_options
@opt.budget_options
@opt.selection_options
@opt.proxy_option
@opt.given_options
@opt.weights_options
@opt.threads_option
@opt.memory_option
@parts_options
@opt.reading_options(show_default=True)
@opt.dry_run_option
@opt.json_option
@opt.common_options
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    session: Session,
    /,
    data: tuple[str, ...],
    files_from: str | None,
    output: str | None,
    force: bool,
    dry_run: bool,
    json: bool,
    **options: Any,
) -> None:
    """Select a small weighted subset (coreset) of the rows of DATA and write it as a manifest: a
    Parquet file of row numbers, weights and the error bound epsilon.

    DATA are files, directories, quoted patterns, or - for stdin; LIBSVM, CSV, TSV, Parquet, HDF5 or
    IDX, text and IDX also compressed. Give exactly one of --fraction, --size, --epsilon,
    --mean-epsilon and --budget-cost.

    Linear models of any regulariser come out nearest to those of all rows from random rows of
    greedy's clusters with calibrated weights; models that look at neighbourhoods do better with the
    paper's medoids: say which by --for.
    """
    if output is None and not dry_run:
        raise click.UsageError("Missing option '-o' / '--output'.", ctx)
    if json and output == "-":
        raise UsageError("--json and --output - both write to stdout: choose one.")
    if (*data, options["include"], options["exclude"], options["extend"]).count("-") > 1:
        raise UsageError("- (standard input) can be read only once: name it once.")
    given: dict[str, Any] = opt.pick_constraints(options["include"], options["exclude"])
    options, purpose = opt.chosen(ctx, options)
    budget = Budget(**{name: options[name] for name in BUDGETS})
    if (budget.budget_cost is None) != (options["cost_column"] is None):
        raise UsageError(
            "--budget-cost and --cost-column go together: give both, or neither "
            "(--drop leaves a column out)."
        )
    parts = parts_from(options)
    prefers_local = (
        parts is not None or options["proxy"] is not None or options["extend"] is not None
    )
    representative, weights = purpose.choices(
        options["method"], budget.is_open, not options["no_label"], prefers_local
    )
    selection = SelectionSettings(
        budget,
        representative=representative,
        **{
            name: options[name]
            for name in (
                "method",
                "metric",
                "scale",
                "sample_rows",
                "cell_size",
                "delta",
                "refine",
                "seed",
                "threads",
                "task",
            )
        },
        **given,
        memory_limit=0
        if options["memory_limit"] is None
        else parse_size("--memory-limit", options["memory_limit"]),
    )
    calibration = opt.calibration_settings(weights, options)
    inputs = replace(
        opt.input_settings(opt.all_paths(ctx, data, files_from), options), proxy=options["proxy"]
    )
    if inputs.weight_column is not None:
        selection.check_weighted()
    session.detail(
        f"method {selection.method}, representative {representative}, weights {weights}, metric "
        f"{selection.metric}, scale {selection.scale}, "
        f"seed {selection.seed}, {selection.n_threads} threads"
    )
    if parts is not None:
        from craig_cli.workflows.partitioned import check_job
        from craig_cli.workflows.parts import Job

        check_job(Job(inputs, selection, parts), calibration)
    if output is None or dry_run:
        from craig_cli.workflows.plan import plan_selection

        with session.progress() as progress:
            plan = plan_selection(inputs, selection, calibration, options["extend"], progress)
        session.finish(plan, json)
        return
    if parts is not None:
        finish_in_parts(
            session,
            inputs,
            selection,
            parts,
            output,
            json,
            options["partial"],
            calibration=calibration,
            force=force,
        )
        return
    from craig_cli.workflows.select import select_to_file

    with session.progress() as progress:
        report = select_to_file(
            inputs,
            selection,
            output,
            calibration=calibration,
            may_fall_back=purpose.may_fall_back,
            extend=options["extend"],
            force=force,
            progress=progress,
        )
    session.finish(report, json, summary_only=True)


def finish_in_parts(
    session: Session,
    inputs: InputSettings,
    selection: SelectionSettings,
    parts: PartSettings,
    output: str,
    json: bool,
    partial: bool,
    **options: Any,
) -> None:
    """Select in parts, or make the partial manifest of one shard, and report."""
    from craig_cli.workflows.partial import select_partial
    from craig_cli.workflows.partitioned import select_in_parts
    from craig_cli.workflows.parts import Job

    with session.progress() as progress:
        report = (select_partial if partial else select_in_parts)(
            Job(inputs, selection, parts), output, **options, progress=progress
        )
    session.finish(report, json, summary_only=True)
