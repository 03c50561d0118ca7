"""Several floats in a vector register, for the few inner loops that the compiler does not keep in
registers by itself.

LLVM's own vectors, so that any machine runs them, with as many instructions as its registers are
short. Each operation is that of a scalar loop, lane by lane: the same bits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

BYTES = 64
"""Those of AVX-512. Where registers are shorter LLVM takes several; no result changes."""


class Register(types.Type):
    """The numba type of a register full of floats, or of so many."""

    def __init__(self, dtype: types.Float, n_lanes: int = 0) -> None:
        self.dtype = dtype
        self.n_lanes = n_lanes or BYTES * 8 // dtype.bitwidth
        super().__init__(f"Register({dtype} x {self.n_lanes})")


@register_model(Register)
class RegisterModel(models.PrimitiveModel):
    """How LLVM holds a `Register`."""

    def __init__(self, manager: Any, register: Register) -> None:
        super().__init__(
            manager,
            register,
            ir.VectorType(manager.lookup(register.dtype).get_value_type(), register.n_lanes),
        )


FOUR = Register(types.float64, 4)
"""What holds four running sums."""


def place(context: Any, builder: Any, signature: Any, arguments: Any, n_axes: int) -> Any:
    """Return a pointer to the register that begins at the given indices of an array, the first
    argument.
    """
    indices = range(1, n_axes + 1)
    return place_of(context, builder, signature, arguments, 0, indices, Register)


def place_of(
    context: Any, builder: Any, signature: Any, arguments: Any, array: int, indices: Any, kind: Any
) -> Any:
    """Return a pointer to the register, ``kind(dtype)``, that begins in the `array`-th argument at
    the indices that are the arguments of these numbers.
    """
    array_type = signature.args[array]
    own = context.make_array(array_type)(context, builder, arguments[array])
    at = [context.cast(builder, arguments[a], signature.args[a], types.intp) for a in indices]
    pointer = cgutils.get_item_pointer(context, builder, array_type, own, at, wraparound=False)
    return builder.bitcast(pointer, context.get_value_type(kind(array_type.dtype)).as_pointer())


def load_from(builder: Any, pointer: Any, dtype: types.Float) -> Any:
    """Return the register at a place of an array.

    An array begins where its items may, not where registers do: without this LLVM would take the
    instruction that crashes on any other address.
    """
    loaded = builder.load(pointer)
    loaded.align = dtype.bitwidth // 8
    return loaded


@intrinsic
def n_lanes(typing_context, array):
    """Return how many values of an array a register holds."""

    def build(context, builder, signature, arguments):
        return context.get_constant(types.intp, Register(array.dtype).n_lanes)

    return types.intp(array), build


@intrinsic
def load(typing_context, array, t, k, i):
    """Return ``array[t, k, i:i + n_lanes]``."""

    def build(context, builder, signature, arguments):
        return load_from(builder, place(context, builder, signature, arguments, 3), array.dtype)

    return Register(array.dtype)(array, t, k, i), build


@intrinsic
def store(typing_context, array, r, i, register):
    """Write a register to ``array[r, i:i + n_lanes]``."""

    def build(context, builder, signature, arguments):
        stored = builder.store(arguments[3], place(context, builder, signature, arguments, 2))
        stored.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, r, i, register), build


def everywhere(context: Any, builder: Any, register: Register, value: Any) -> Any:
    """Return a register with `value` in every lane."""
    vector, index = context.get_value_type(register), ir.IntType(32)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(index, 0))
    lanes = ir.Constant(ir.VectorType(index, register.n_lanes), [0] * register.n_lanes)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), lanes)


@intrinsic
def splat(typing_context, value):
    """Return a register with `value` in every lane."""
    register = Register(value)

    def build(context, builder, signature, arguments):
        return everywhere(context, builder, register, arguments[0])

    return register(value), build


@intrinsic
def splat_at(typing_context, array, v, k):
    """Return a register with ``array[v, k]``, no index below 0, in every lane."""
    register = Register(array.dtype)

    def build(context, builder, signature, arguments):
        pointer = place(context, builder, signature, arguments, 2)
        item = context.get_value_type(array.dtype).as_pointer()
        return everywhere(context, builder, register, builder.load(builder.bitcast(pointer, item)))

    return register(array, v, k), build


@intrinsic
def add_square(typing_context, a, b, total):
    """Return (a - b) * (a - b) + total of registers or of floats.

    The product and the sum are rounded once, which is stated here and not left to the compiler, so
    that machines agree, and registers with scalar loops.
    """
    if not a == b == total:
        return None

    def build(context, builder, signature, arguments):
        kind = context.get_value_type(a)
        name = f"v{a.n_lanes}f{a.dtype.bitwidth}" if isinstance(a, Register) else f"f{a.bitwidth}"
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fma.{name}"
        )
        difference = builder.fsub(arguments[0], arguments[1])
        return builder.call(fma, [difference, difference, arguments[2]])

    return a(a, b, total), build


@intrinsic
def smaller(typing_context, a, b):
    """Return the smaller of two registers, lane by lane."""

    def build(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered("<", *arguments), *arguments)

    return a(a, b), build


@intrinsic
def larger(typing_context, a, b):
    """Return the larger of two registers, lane by lane."""

    def build(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return a(a, b), build


@intrinsic
def any_within(typing_context, register, limit):
    """Return whether any lane is at most that of `limit`."""

    def build(context, builder, signature, arguments):
        within = builder.fcmp_ordered("<=", arguments[0], arguments[1])
        bits = ir.IntType(register.n_lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(within, bits), ir.Constant(bits, 0))

    return types.boolean(register, limit), build


@intrinsic
def four_sums(typing_context):
    """Return a register of four float64, all 0."""

    def build(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(FOUR), [0.0] * FOUR.n_lanes)

    return FOUR(), build


@intrinsic
def add_four_products(typing_context, points, row, direction, k, sums):
    """Return ``sums + points[row, k:k + 4] * direction[k:k + 4]`` in float64, each product rounded
    before it is added: what four scalar sums come to. Rows must lie in one piece each.
    """
    if not points.layout == direction.layout == "C" or direction.dtype != types.float64:
        return None

    def four(dtype):
        return Register(dtype, FOUR.n_lanes)

    def build(context, builder, signature, arguments):
        given = (context, builder, signature, arguments)
        own = load_from(builder, place_of(*given, 0, (1, 3), four), points.dtype)
        if points.dtype != types.float64:
            own = builder.fpext(own, context.get_value_type(FOUR))
        others = load_from(builder, place_of(*given, 2, (3,), four), types.float64)
        return builder.fadd(arguments[4], builder.fmul(own, others))

    return FOUR(points, row, direction, k, FOUR), build


@intrinsic
def lanes(typing_context, register):
    """Return what a register holds, as a tuple."""
    found = types.UniTuple(register.dtype, register.n_lanes)

    def build(context, builder, signature, arguments):
        parts = [
            builder.extract_element(arguments[0], ir.Constant(ir.IntType(32), lane))
            for lane in range(register.n_lanes)
        ]
        return context.make_tuple(builder, found, parts)

    return found(register), build
