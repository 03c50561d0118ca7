"""The section of BENCHMARKS.md on wide rows: craig beside what people take for embeddings and
images, k-means with the rows nearest to its centres.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from competitors import WIDE_PEERS
from datasets import at_hand, left_out

if TYPE_CHECKING:
    from bench import Options

WIDE = (("clinc150", 0.05), ("mnist", 0.02), ("100000", 0.01))
"""Sets without labels, or rows made, and the share that is picked."""
LARGE = ("1000000", 0.01)
"""With ``--large`` only."""
LIMIT = 600
PATIENCE = 2
"""So many times as long as craig a peer may take on the large one."""
COLUMNS = "rows | picks | what | wall s | MB more | peak MB | L | L / craig cells | distinct picks"
SENTENCE = (
    "One group of rows of 384 columns and more: sentences, images without their labels, made unit "
    "rows in 200 clusters. k-means has no rows of its own: the nearest to each centre is picked, "
    "each row once, so there may be fewer. On a million rows a peer has twice the time of craig."
)


def wide_table(options: Options) -> str:
    """Return the table of craig and its peers on wide rows."""
    from bench import number, seconds, table

    lines = []
    for name, fraction in (*WIDE, *([LARGE] if options.large else [])):
        if not name.isdigit() and not at_hand([name]):
            continue
        data = f"wide:{name}"
        ours = options.run(data, "craig cells", fraction, LIMIT)
        found = [("craig cells", ours)]
        limit = LIMIT
        if (name, fraction) == LARGE and ours.seconds > 0:
            limit = math.ceil(PATIENCE * ours.seconds)
        for what in (*WIDE_PEERS, "random"):
            found.append((what, options.run(data, what, fraction, limit)))
        wanted = round(fraction * ours.n) if ours.n else 0
        for what, m in found:
            rows = f"made, {int(name):,}" if name.isdigit() else name
            lines.append(
                [
                    f"{rows} x {ours.d:,}",
                    f"{wanted:,}",
                    what,
                    seconds(m),
                    number(m.growth),
                    number(m.peak),
                    number(m.loss, 6),
                    number(m.loss / ours.loss, 4),
                    f"{m.k:,}",
                ]
            )
    return table(COLUMNS, lines) + left_out(name for name, _ in WIDE if not name.isdigit())
