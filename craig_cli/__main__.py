"""``python -m craig_cli``: the same as ``craig``."""

import sys

from craig_cli.cli import main

sys.exit(main())
