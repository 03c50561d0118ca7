"""Which rows to select, how many, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import (
    ALLOCATIONS,
    METHODS,
    METRICS,
    REPRESENTATIVES,
    SCALES,
    TASKS,
    methods_that,
)
from craig_cli.settings.checks import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    THREADS,
    Checked,
    Rule,
    Threaded,
    refuse,
)
from craig_cli.settings.shares import check_share

BUDGETS = ("fraction", "size", "epsilon", "mean_epsilon", "budget_cost")
"""What `Budget` takes."""

DRAWN = methods_that("draws")
"""Methods whose picks are random rows."""


@dataclass(frozen=True)
class Budget(Checked):
    """How many rows to select: exactly one of the five."""

    fraction: float | None = None
    size: int | None = None
    epsilon: float | None = None
    mean_epsilon: float | None = None
    budget_cost: float | None = None

    CHECKS: ClassVar = {
        "size": COUNT,
        "epsilon": NOT_NEGATIVE,
        "mean_epsilon": NOT_NEGATIVE,
        "budget_cost": POSITIVE,
    }

    def __post_init__(self) -> None:
        given = [
            f"--{name.replace('_', '-')}" for name in BUDGETS if getattr(self, name) is not None
        ]
        options = "--fraction, --size, --epsilon, --mean-epsilon or --budget-cost"
        refuse(not given, f"A budget is missing: give exactly one of {options}.")
        refuse(
            len(given) > 1,
            f"{' and '.join(given)} exclude each other: give exactly one of {options}.",
        )
        check_share("--fraction", self.fraction, "--fraction ")
        super().__post_init__()

    @property
    def is_cover(self) -> bool:
        """Whether the budget is a bound on epsilon, not a count."""
        return self.epsilon is not None or self.mean_epsilon is not None

    @property
    def is_open(self) -> bool:
        """Whether the budget does not say how many rows there will be."""
        return self.is_cover or self.budget_cost is not None


@dataclass(frozen=True)
class SelectionSettings(Checked, Threaded):
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
    allocation: str = "proportional"

    CHECKS: ClassVar = {
        "method": METHODS,
        "metric": METRICS,
        "scale": SCALES,
        "task": TASKS,
        "representative": REPRESENTATIVES,
        "allocation": ALLOCATIONS,
        "seed": SEED,
        "cell_size": Rule("between 128 and 16384", lambda number: 128 <= number <= 16384),
        "sample_rows": Rule("at least 0", lambda number: number >= 0),
        "delta": Rule("between 0 and 1", lambda number: 0 < number < 1),
        "threads": THREADS,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse(
            self.memory_limit < 0, f"--memory-limit: {self.memory_limit} bytes are not at least 0."
        )
        refuse(
            self.budget.is_open and self.allocation != "proportional",
            f"--allocation {self.allocation}: a budget of epsilon or of costs says by itself how "
            "many rows each class gives. Use --size or --fraction.",
        )
        if self.method in DRAWN:
            self._check_drawn()
        if self.budget.is_cover:
            self._check_cover()
        if self.budget.budget_cost is not None:
            self._check_knapsack()
        self._check_constraints()

    def _check_drawn(self) -> None:
        """Raise `UsageError` for what would change picks that are meant to be random."""
        for option, is_given in (
            ("--refine", self.refine),
            (f"--representative {self.representative}", self.representative != "medoid"),
        ):
            refuse(
                is_given,
                f"{option}: the picks of --method {self.method} are meant to be random. Leave "
                "one of the two out.",
            )

    def _check_cover(self) -> None:
        """Raise `UsageError` for what does not go with a budget of epsilon."""
        refuse(
            self.representative != "medoid",
            f"--representative {self.representative}: an epsilon budget is kept by the picks "
            "themselves. Use --size or --fraction.",
        )
        refuse(
            self.refine,
            "--refine: the picks of an epsilon budget are a greedy prefix. Use --size or "
            "--fraction, or leave --refine out.",
        )
        refuse(
            self.method not in methods_that("order"),
            f"--method {self.method} has no greedy order, so --epsilon and --mean-epsilon do not "
            "apply: use --fraction, --size or --method exact.",
        )

    def _check_knapsack(self) -> None:
        """Raise `UsageError` for what does not go with a budget of costs."""
        refuse(
            self.method not in methods_that("order"),
            f"--budget-cost: --method {self.method} knows no costs. Use --method exact.",
        )
        refuse(
            self.representative != "medoid",
            f"--representative {self.representative}: it would bring in rows of other costs. Use "
            "--representative medoid.",
        )
        for name in ("refine", "sample_rows", "include", "exclude", "extend", "memory_limit"):
            if getattr(self, name):
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} and --budget-cost exclude each other: leave one out.")

    def _check_constraints(self) -> None:
        """Raise `UsageError` for rows that contradict each other, or the method."""
        for name in ("include", "exclude", "extend"):
            rows = getattr(self, name)
            refuse(
                rows and self.method not in methods_that("constraints"),
                f"--{name}: --method {self.method} cannot go on from given rows. Use --method "
                "exact or stochastic.",
            )
            if rows and (self.refine or self.sample_rows):
                other = "--refine" if self.refine else "--sample-rows"
                raise UsageError(f"--{name} and {other} exclude each other: leave one out.")
            refuse(
                len(set(rows)) < len(rows) or any(row < 0 for row in rows),
                f"--{name}: rows are numbers of at least 0, each named once.",
            )
        for name in ("include", "extend"):
            both = set(getattr(self, name)) & set(self.exclude)
            if both:
                raise UsageError(
                    f"--{name} and --exclude both name row {min(both)}: leave it out of one."
                )

    def check_weighted(self) -> None:
        """Raise `UsageError` for what rows that have weights do not go with."""
        refuse(self.refine, "--refine: it counts all rows alike. Leave out --weight-column.")

    @property
    def is_constrained(self) -> bool:
        """Whether some rows must be picked, or must not."""
        return bool(self.include or self.exclude or self.extend)
