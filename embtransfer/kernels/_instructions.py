"""Vector instructions for the kernels, written as LLVM sees them; each processor gets its own."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I8, _I32, _I64, _F32 = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType()
_AHEAD = 16  # rows that are asked for before they are summed: tables are larger than the caches
_BYTES, _FLOATS, _HALVES = ir.VectorType(_I8, 64), ir.VectorType(_F32, 16), ir.VectorType(ir.IntType(16), 16)


def _splat(value):
    return ir.Constant(_BYTES, [value] * 64)


@intrinsic
def fold_block(typingctx, source, destination, lowercase):
    """Copy 64 bytes, ASCII lower-cased if asked; return (mask of word bytes, mask of bytes >= 0x80)."""

    def codegen(context, b, signature, args):
        source, destination, lowercase = args
        c = b.load(b.inttoptr(source, _BYTES.as_pointer()), align=1)
        upper = b.icmp_unsigned("<", b.sub(c, _splat(ord("A"))), _splat(26))
        asked = b.icmp_unsigned("!=", lowercase, ir.Constant(_I64, 0))
        shift = b.select(asked, _splat(0x20), _splat(0))
        folded = b.add(c, b.select(upper, shift, _splat(0)))
        b.store(folded, b.inttoptr(destination, _BYTES.as_pointer()), align=1)
        letter = b.icmp_unsigned("<", b.sub(b.or_(c, _splat(0x20)), _splat(ord("a"))), _splat(26))
        digit = b.icmp_unsigned("<", b.sub(c, _splat(ord("0"))), _splat(10))
        underscore = b.icmp_unsigned("==", c, _splat(ord("_")))
        high = b.icmp_signed("<", c, _splat(0))
        word = b.or_(b.or_(letter, digit), b.or_(underscore, high))
        masks = [b.bitcast(word, _I64), b.bitcast(high, _I64)]
        return context.make_tuple(b, signature.return_type, masks)

    u = types.uint64
    return types.UniTuple(u, 2)(u, u, u), codegen


@intrinsic
def load64(typingctx, address):
    """The eight bytes at an address, which need not be aligned."""

    def codegen(context, b, signature, args):
        return b.load(b.inttoptr(args[0], _I64.as_pointer()), align=1)

    return types.uint64(types.uint64), codegen


@intrinsic
def trailing_zeros(typingctx, bits):
    def codegen(context, b, signature, args):
        return b.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def bit_count(typingctx, bits):
    def codegen(context, b, signature, args):
        return b.ctpop(args[0])

    return types.int64(types.uint64), codegen


def _half_to_float(b, half):
    """16 numbers of float16 in uint16 as float32, without the instruction that not every processor has.

    The exponent's bias is 15 instead of 127: shifted into place, the number is 2 ** 112 times too small.
    """
    wide = ir.VectorType(_I32, 16)
    bits = b.zext(half, wide)
    magnitude = b.shl(b.and_(bits, ir.Constant(wide, [0x7FFF] * 16)), ir.Constant(wide, [13] * 16))
    scaled = b.fmul(b.bitcast(magnitude, _FLOATS), ir.Constant(_FLOATS, [2.0**112] * 16))
    sign = b.shl(b.and_(bits, ir.Constant(wide, [0x8000] * 16)), ir.Constant(wide, [16] * 16))
    return b.bitcast(b.or_(b.bitcast(scaled, wide), sign), _FLOATS)


def _prefetch(b, address):
    """Ask for the cache line at an address, for reading."""
    kinds = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
    function = cgutils.get_or_insert_function(b.module, kinds, "llvm.prefetch.p0i8")
    b.call(function, [b.inttoptr(address, _I8.as_pointer()), *(ir.Constant(_I32, n) for n in (0, 3, 1))])


@intrinsic
def prefetch(typingctx, address):
    """Ask for the cache line at an address."""

    def codegen(context, b, signature, args):
        _prefetch(b, args[0])
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


def _make_sum64(weighted, half):
    @intrinsic
    def sum64(typingctx, table, stride, ids, n, weights, out, at0, at1, at2, at3):
        """Write the (weighted) sum of n rows of float32 or float16, 16 columns at four places, to out.

        at: byte offsets of float32 columns.
        """

        def codegen(context, b, signature, args):
            table, stride, ids, n, weights, out = args[:6]
            offsets = args[6:]
            sums = [cgutils.alloca_once(b, _FLOATS) for _ in offsets]  # LLVM keeps these in registers
            for total in sums:
                b.store(ir.Constant(_FLOATS, [0.0] * 16), total)
            ids = b.inttoptr(ids, _I32.as_pointer())
            weights = b.inttoptr(weights, _F32.as_pointer())
            undefined = ir.Constant(_FLOATS, ir.Undefined)
            last = b.sub(n, ir.Constant(_I64, 1))
            with cgutils.for_range(b, n) as loop:
                ahead = b.add(loop.index, ir.Constant(_I64, _AHEAD))
                ahead = b.select(b.icmp_unsigned("<", ahead, last), ahead, last)
                ahead = b.mul(b.zext(b.load(b.gep(ids, [ahead])), _I64), stride)
                for offset in offsets:
                    place = b.lshr(offset, ir.Constant(_I64, 1)) if half else offset
                    _prefetch(b, b.add(b.add(table, ahead), place))
                word = b.zext(b.load(b.gep(ids, [loop.index])), _I64)
                row = b.add(table, b.mul(word, stride))
                if weighted:
                    weight = b.load(b.gep(weights, [word]))
                    weight = b.insert_element(undefined, weight, ir.Constant(_I32, 0))
                    lanes = ir.Constant(ir.VectorType(_I32, 16), [0] * 16)
                    weight = b.shuffle_vector(weight, undefined, lanes)
                for total, offset in zip(sums, offsets, strict=True):
                    if half:
                        place = b.add(row, b.lshr(offset, ir.Constant(_I64, 1)))
                        value = b.load(b.inttoptr(place, _HALVES.as_pointer()), align=2)
                        value = _half_to_float(b, value)
                    else:
                        value = b.load(b.inttoptr(b.add(row, offset), _FLOATS.as_pointer()), align=4)
                    if weighted:
                        value = b.fmul(value, weight)
                    b.store(b.fadd(b.load(total), value), total)
            for total, offset in zip(sums, offsets, strict=True):
                b.store(b.load(total), b.inttoptr(b.add(out, offset), _FLOATS.as_pointer()), align=4)
            return context.get_dummy_value()

        return types.void(*[types.uint64] * 10), codegen

    return sum64


sum64, weighted_sum64 = _make_sum64(False, half=False), _make_sum64(True, half=False)
sum64_half, weighted_sum64_half = _make_sum64(False, half=True), _make_sum64(True, half=True)
