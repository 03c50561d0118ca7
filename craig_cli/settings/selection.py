"""Which rows to select, how many, and how."""

from __future__ import annotations

import math
from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import METHODS, METRICS, REPRESENTATIVES, SCALES, TASKS, names
from craig_cli.settings.checks import check_name, usable_threads

BUDGETS = ("fraction", "size", "epsilon", "mean_epsilon", "budget_cost")
"""What `Budget` takes."""

DRAWN = ("random", "stratified", "importance")
"""Methods whose picks are random rows."""


@dataclass(frozen=True)
class Budget:
    """How many rows to select: exactly one of the five."""

    fraction: float | None = None
    size: int | None = None
    epsilon: float | None = None
    mean_epsilon: float | None = None
    budget_cost: float | None = None

    def __post_init__(self) -> None:
        given = [
            f"--{name.replace('_', '-')}" for name in BUDGETS if getattr(self, name) is not None
        ]
        options = "--fraction, --size, --epsilon, --mean-epsilon or --budget-cost"
        if not given:
            raise UsageError(f"A budget is missing: give exactly one of {options}.")
        if len(given) > 1:
            raise UsageError(
                f"{' and '.join(given)} exclude each other: give exactly one of {options}."
            )
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise UsageError(f"--fraction: {self.fraction} is not above 0 and at most 1.")
        if self.size is not None and self.size < 1:
            raise UsageError(f"--size: {self.size} is not at least 1.")
        for option, bound in (("--epsilon", self.epsilon), ("--mean-epsilon", self.mean_epsilon)):
            if bound is not None and not (bound >= 0 and math.isfinite(bound)):
                raise UsageError(f"{option}: {bound} is not a finite number of at least 0.")
        if self.budget_cost is not None and not (
            self.budget_cost > 0 and math.isfinite(self.budget_cost)
        ):
            raise UsageError(f"--budget-cost: {self.budget_cost} is not a finite number above 0.")

    @property
    def is_cover(self) -> bool:
        """Whether the budget is a bound on epsilon, not a count."""
        return self.epsilon is not None or self.mean_epsilon is not None

    @property
    def is_open(self) -> bool:
        """Whether the budget does not say how many rows there will be."""
        return self.is_cover or self.budget_cost is not None


@dataclass(frozen=True)
class SelectionSettings:
    """Which rows to select, and how."""

    budget: Budget
    method: str = "auto"
    metric: str = "euclidean"
    scale: str = "none"
    seed: int = 0
    threads: int = 0
    task: str = "classification"
    cell_size: int = 512
    sample_rows: int = 0
    delta: float = 0.01
    refine: bool = False
    memory_limit: int = 0
    representative: str = "medoid"
    include: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()
    extend: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_name("--method", self.method, names(METHODS))
        check_name("--metric", self.metric, names(METRICS))
        check_name("--scale", self.scale, names(SCALES))
        check_name("--task", self.task, names(TASKS))
        check_name("--representative", self.representative, names(REPRESENTATIVES))
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed: {self.seed} is not between 0 and 2^63 - 1.")
        if not 128 <= self.cell_size <= 16384:
            raise UsageError(f"--cell-size: {self.cell_size} is not between 128 and 16384.")
        if self.method in DRAWN:
            for option, is_given in (
                ("--refine", self.refine),
                (f"--representative {self.representative}", self.representative != "medoid"),
            ):
                if is_given:
                    raise UsageError(
                        f"{option}: the picks of --method {self.method} are meant to "
                        f"be random. Leave one of the two out."
                    )
        if self.representative != "medoid" and self.budget.is_cover:
            raise UsageError(
                f"--representative {self.representative}: an epsilon budget is kept "
                f"by the picks themselves. Use --size or --fraction."
            )
        if self.refine and self.budget.is_cover:
            raise UsageError(
                "--refine: the picks of an epsilon budget are a greedy prefix. Use "
                "--size or --fraction, or leave --refine out."
            )
        if self.sample_rows < 0:
            raise UsageError(f"--sample-rows: {self.sample_rows} is not at least 0.")
        if not 0 < self.delta < 1:
            raise UsageError(f"--delta: {self.delta} is not between 0 and 1.")
        if self.memory_limit < 0:
            raise UsageError(f"--memory-limit: {self.memory_limit} bytes are not at least 0.")
        if self.threads < 0:
            raise UsageError(f"--threads: {self.threads} is not at least 1.")
        if self.budget.is_cover and self.method not in ("exact", "auto"):
            raise UsageError(
                f"--method {self.method} has no greedy order, so --epsilon and --mean-epsilon do "
                f"not apply: use --fraction, --size or --method exact."
            )

        if self.budget.budget_cost is not None:
            self._check_spending()
        self._check_given()

    def _check_spending(self) -> None:
        """Raise `UsageError` for what does not go with a budget of costs."""
        if self.method not in ("exact", "auto"):
            raise UsageError(
                f"--budget-cost: --method {self.method} knows no costs. Use --method exact."
            )
        if self.representative != "medoid":
            raise UsageError(
                f"--representative {self.representative}: it would bring in rows of "
                f"other costs. Use --representative medoid."
            )
        for option, is_there in (
            ("--refine", self.refine),
            ("--sample-rows", self.sample_rows > 0),
            ("--include", bool(self.include)),
            ("--exclude", bool(self.exclude)),
            ("--extend", bool(self.extend)),
            ("--memory-limit", self.memory_limit > 0),
        ):
            if is_there:
                raise UsageError(f"{option} and --budget-cost exclude each other: leave one out.")

    def _check_given(self) -> None:
        """Raise `UsageError` for rows to include, to exclude or to go on from that contradict each
        other, or the method.
        """
        for option, rows in (
            ("--include", self.include),
            ("--exclude", self.exclude),
            ("--extend", self.extend),
        ):
            if rows and self.method not in ("auto", "exact", "stochastic"):
                raise UsageError(
                    f"{option}: --method {self.method} cannot go on from given rows. "
                    f"Use --method exact or stochastic."
                )
            if rows and (self.refine or self.sample_rows):
                other = "--refine" if self.refine else "--sample-rows"
                raise UsageError(f"{option} and {other} exclude each other: leave one out.")
            if len(set(rows)) < len(rows) or any(row < 0 for row in rows):
                raise UsageError(f"{option}: rows are numbers of at least 0, each named once.")
        for option, rows in (("--include", self.include), ("--extend", self.extend)):
            both = set(rows) & set(self.exclude)
            if both:
                raise UsageError(
                    f"{option} and --exclude both name row {min(both)}: leave it out of one."
                )

    def check_weighted(self) -> None:
        """Raise `UsageError` for what rows that have weights do not go with."""
        if self.refine:
            raise UsageError("--refine: it counts all rows alike. Leave out --weight-column.")

    @property
    def is_constrained(self) -> bool:
        """Whether some rows must be picked, or must not."""
        return bool(self.include or self.exclude or self.extend)

    @property
    def n_threads(self) -> int:
        """Threads to run: those asked for, else the CPUs this process may use."""
        return self.threads or usable_threads()
