"""Types of Arrow columns: which can be used, and what is wrong with the others."""

from __future__ import annotations

import pyarrow as pa

from craig_cli.errors import InputError, printable
from craig_cli.readers.columns import Columns, option_of

MOST_COLUMNS = 1 << 26
LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)


def check_types(source_name: str, schema: pa.Schema, columns: Columns, task: str) -> None:
    """Raise `InputError` where a column that is wanted is of a type that cannot be used."""
    texts = []
    for name in columns.features:
        kind = schema.field(name).type
        if name in columns.one_hot:
            check_category_type(source_name, name, kind)
        elif is_text(kind) or pa.types.is_dictionary(kind):
            texts.append(name)
        elif is_list(kind):
            check_list_width(source_name, name, columns.widths[name])
        elif not is_number(kind):
            raise unusable_type(source_name, name, kind)
    if texts:
        what = (
            f"{'column' if len(texts) == 1 else 'columns'} "
            f"{', '.join(printable(repr(name)) for name in texts)} hold text or categories, not "
            f"numbers"
        )
        if len(texts) == 1:
            what = what.replace(" hold ", " holds ")
        raise InputError(
            source_name,
            what,
            remedy=f"Use {option_of('--drop', texts)}, or {option_of('--one-hot', texts)}.",
        )
    for name, amount in columns.amounts.items():
        kind = schema.field(name).type
        if not is_number(kind):
            problem = f"{columns.called(name)} is of type {printable(str(kind), 100)}, not a number"
            raise InputError(
                source_name,
                problem,
                remedy=f"Convert it, or name another with {amount.option} COLUMN.",
            )
    if columns.label is None:
        return
    kind = schema.field(columns.label).type
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not is_number(value_type) and not is_text(value_type):
        remedy = "Convert it to numbers or text, or name another with --label COLUMN."
        raise InputError(
            source_name,
            f"label column '{printable(columns.label)}' is of type {printable(str(kind), 100)}",
            remedy=remedy,
        )
    if task == "regression" and not is_number(value_type):
        remedy = "Name another with --label COLUMN, or leave out --task regression."
        raise InputError(
            source_name,
            f"label column '{printable(columns.label)}' holds text, but regression needs numbers",
            remedy=remedy,
        )


def check_category_type(source_name: str, name: str, kind: pa.DataType) -> None:
    """Raise `InputError` where a ``--one-hot`` column holds no text, whole numbers or booleans."""
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (
        is_text(value_type) or pa.types.is_integer(value_type) or pa.types.is_boolean(value_type)
    ):
        problem = (
            f"--one-hot column '{printable(name)}' is of type {printable(str(kind), 100)}, "
            f"not text, whole numbers or booleans"
        )
        raise InputError(
            source_name, problem, remedy=f"Use {option_of('--drop', [name])}, or convert it."
        )


def unusable_type(source_name: str, name: str, kind: pa.DataType) -> InputError:
    """Return the error of a feature column that holds neither numbers nor text."""
    drop = option_of("--drop", [name])
    if pa.types.is_nested(kind):
        return InputError(
            source_name,
            f"column '{printable(name)}' is nested ({printable(str(kind), 100)})",
            remedy=f"Use {drop}, or write its parts as columns.",
        )
    if pa.types.is_null(kind):
        return InputError(
            source_name, f"column '{printable(name)}' holds no values at all", remedy=f"Use {drop}."
        )
    return InputError(
        source_name,
        f"column '{printable(name)}' is of type {printable(str(kind), 100)}, not a number",
        remedy=f"Use {drop}, or convert it to numbers.",
    )


def check_list_width(source_name: str, name: str, width: int) -> None:
    """Raise `InputError` where the lists of a column are empty, or too long."""
    if width > MOST_COLUMNS:
        problem = f"column '{printable(name)}' has lists of {width:,} numbers, not 1 to "
        raise InputError(
            source_name, f"{problem}{MOST_COLUMNS:,}", remedy=f"Use {option_of('--drop', [name])}."
        )


def storage_of(kind: pa.DataType) -> pa.DataType:
    """Return what a type is stored as: tensors of a fixed shape are lists."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def is_list(kind: pa.DataType) -> bool:
    """Return whether a column holds lists of numbers."""
    kind = storage_of(kind)
    return any(is_of(kind) for is_of in LISTS) and is_number(kind.value_type)


def is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
