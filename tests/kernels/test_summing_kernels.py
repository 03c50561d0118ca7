"""Sums of kernels that regroup them: the same bits wherever arrays lie in memory."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import craig_cli.kernels

FILES = sorted(Path(craig_cli.kernels.__file__).parent.glob("*.py"))


def innermost_loops(tree: ast.AST) -> list[ast.For]:
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
    return [
        loop
        for loop in loops
        if not any(isinstance(node, ast.For) for node in ast.walk(loop) if node is not loop)
    ]


def written(loop: ast.For) -> list[ast.expr]:
    """Return what a loop assigns to."""
    nodes = list(ast.walk(loop))
    targets = [t for node in nodes if isinstance(node, ast.Assign) for t in node.targets]
    return targets + [node.target for node in nodes if isinstance(node, ast.AugAssign)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_loop_that_sums_writes_to_no_array(file):
    """LLVM takes vectors there only where the arrays lie some hundred bytes apart, which it asks at
    run time; a sum by vectors has other last bits than one by scalars.
    """
    text = file.read_text()
    if "@summing_kernel" not in text:
        return
    for loop in innermost_loops(ast.parse(text)):
        sums = [
            node
            for node in ast.walk(loop)
            if isinstance(node, ast.AugAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.op, ast.Add)
        ]
        writes = [target for target in written(loop) if isinstance(target, ast.Subscript)]
        assert not (sums and writes), f"{file.name}:{loop.lineno}"
