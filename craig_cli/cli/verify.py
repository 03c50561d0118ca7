"""``craig verify``."""

from __future__ import annotations

from craig_cli.cli.command import Run, reporting
from craig_cli.cli.options import DATA, MANIFEST, PROXY, READING, READING_TABLES, THREADS
from craig_cli.reports.base import Report


@reporting(
    "verify",
    DATA,
    MANIFEST,
    PROXY,
    THREADS,
    sections=(("How data is read", READING),),
    tables=READING_TABLES,
    examples=(
        "craig select sample_data/sample.libsvm --fraction 0.1 -o cs.parquet",
        "craig verify sample_data/sample.libsvm cs.parquet",
        "craig verify sample_data/sample.parquet cs.parquet --json",
    ),
)
def command(run: Run) -> Report:
    """Check MANIFEST against its DATA: the data's fingerprint and labels, what every coreset
    promises, and clusters and epsilon computed anew.

    DATA is read with the options that the manifest records; those given here are used instead. Exit
    code 5 if a check fails.
    """
    overrides = run.overrides
    if run["proxy"] is not None:
        overrides["proxy"] = run["proxy"]
    run.detail(f"reading options given here: {overrides or 'none'}")
    from craig_cli.workflows.verify import verify_manifest

    return verify_manifest(
        run.paths,
        run["manifest"],
        overrides=overrides,
        threads=run["threads"],
        progress=run.progress,
    )
