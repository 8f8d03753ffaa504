"""Lowering of operations that move or reduce elements: the forms they take, what is refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr.codegen.call import Alias, Array, KernelCall
from edgeasr.codegen.lower import lower
from edgeasr.codegen.lower.copying import Box, Loop, merge
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor

_QUANTIZED = Quantization(np.array([0.1], np.float32), np.array([3], np.int32))


def _graph(kind: str, inputs: list, outputs: list, **options: object) -> Graph:
    """A graph of one operation. A tensor is a shape, of int8, or an array: a constant.

    A shape that ends in a name is of that type.
    """
    tensors: list[Tensor] = []
    for given_ in (*inputs, *outputs):
        index = len(tensors)
        if isinstance(given_, np.ndarray):
            tensors.append(Tensor(index, f"t{index}", given_.shape, given_.dtype.name, given_))
            continue
        *shape, dtype = given_ if given_ and isinstance(given_[-1], str) else (*given_, "int8")
        quantization = _QUANTIZED if dtype == "int8" else None
        tensors.append(Tensor(index, f"t{index}", tuple(shape), dtype, None, quantization))
    ends = tuple(range(len(inputs))), tuple(range(len(inputs), len(tensors)))
    return Graph("main", tuple(tensors), (Op(0, kind, *ends, options),), *ends)


def _lowered(graph: Graph) -> KernelCall | Alias:
    return lower(graph, graph.ops[0])


def _ints(*values: object, dtype: str = "int32") -> np.ndarray:
    return np.array(values, dtype)


def _slice(begin: list, end: list, step: list, made: tuple, **masks: int) -> Graph:
    options = dict.fromkeys(
        ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0
    )
    given_ = [(4, 6, 5), *(_ints(*v) for v in (begin, end, step))]
    return _graph("STRIDED_SLICE", given_, [made], **(options | masks))


def test_a_slice_of_everything_moves_nothing() -> None:
    made = _lowered(_slice([0, 0, 0], [4, 6, 5], [1, 1, 1], (4, 6, 5)))

    assert made == Alias(0, 4)


def test_a_contiguous_slice_is_one_move() -> None:
    made = _lowered(_slice([1, 0, 0], [3, 6, 5], [1, 1, 1], (2, 6, 5)))

    assert isinstance(made, KernelCall) and made.kernel == "ear_copy_block"
    assert [a.value for a in made.arguments[:2]] == [30, 60]


def test_a_slice_walks_as_few_loops_as_it_can() -> None:
    made = _lowered(_slice([0, 1, 0], [4, 3, 5], [1, 1, 1], (4, 2, 5)))

    assert isinstance(made, KernelCall) and made.kernel == "ear_copy"
    (params,) = made.structs()
    assert (params.fields["run_bytes"], params.fields["loops"]) == (10, 1)
    assert isinstance(box := params.fields["box"], Array)
    assert box.values.tolist() == [5, 0, 4, 30, 10]


def test_a_transposition_of_sizes_of_one_moves_nothing() -> None:
    made = _lowered(_graph("TRANSPOSE", [(1, 7, 1, 3), _ints(0, 2, 1, 3)], [(1, 1, 7, 3)]))

    assert made == Alias(0, 2)


def test_constant_indices_in_equal_steps_need_no_table() -> None:
    steps = _lowered(_graph("GATHER", [(2, 9), _ints(1, 3, 5)], [(2, 3)], axis=1, batch_dims=0))
    others = _lowered(_graph("GATHER", [(2, 9), _ints(1, 3, 4)], [(2, 3)], axis=1, batch_dims=0))

    assert [steps.kernel, others.kernel] == ["ear_copy", "ear_gather"]


def test_padding_with_one_byte_fills_by_bytes() -> None:
    graph = _graph("PAD", [(2, "int32"), _ints(1, 1).reshape(1, 2)], [(4, "int32")])

    made = _lowered(graph)

    assert isinstance(made, KernelCall)
    assert [made.arguments[1].value, made.arguments[2].value] == [1, 16]


@settings(max_examples=200, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-9, 9)), max_size=5))
def test_merged_loops_walk_the_same_elements(loops: list[tuple[int, int]]) -> None:
    sizes = [turns for turns, _ in loops]
    outer = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    given_ = tuple(Loop(n, step, to) for (n, step), to in zip(loops, outer, strict=True))

    (merged,) = merge([Box(0, 0, given_)])

    assert len(merged.loops) <= len(given_)
    assert _walk(merged.loops) == _walk(given_)


def _walk(loops: tuple[Loop, ...]) -> list[tuple[int, int]]:
    return [
        (
            sum(i * loop.input_stride for i, loop in zip(turn, loops, strict=True)),
            sum(i * loop.output_stride for i, loop in zip(turn, loops, strict=True)),
        )
        for turn in itertools.product(*(range(loop.turns) for loop in loops))
    ]


_SPLIT = {"num_splits": 2}
_CORNERS = {"align_corners": False, "half_pixel_centers": False}
_WRONG = {
    "stride of 0": (_slice([0, 0, 0], [4, 6, 5], [1, 0, 1], (4, 6, 5)),
                    "stride along axis 1 is 0; it must not be"),
    "nothing": (_slice([0, 4, 0], [4, 2, 5], [1, 1, 1], (4, 1, 5)),
                'takes nothing along axis 1 of tensor "t0" [4, 6, 5]: begin 4, end 2, stride 1'),
    "one beyond": (_slice([4, 0, 0], [5, 6, 5], [1, 1, 1], (6, 5), shrink_axis_mask=1),
                   "takes index 4 in steps of 1 along axis 0"),
    "new axis": (_slice([0, 0, 0], [4, 6, 5], [1, 1, 1], (4, 6, 5), new_axis_mask=1),
                 "option new_axis_mask is 1; only 0 is supported"),
    "slice shape": (_slice([0, 0, 0], [4, 6, 5], [1, 2, 1], (4, 6, 5)),
                    "options make it [4, 3, 5]"),
    "computed begin": (_graph("SLICE", [(4,), (1, "int32"), _ints(2)], [(2,)]),
                       'tensor "t1" must be a constant'),
    "slice beyond": (_graph("SLICE", [(4,), _ints(3), _ints(2)], [(2,)]),
                     "takes 2 elements from 3 on along axis 0"),
    "float16": (_graph("SLICE", [(4, "float16"), _ints(1), _ints(2)], [(2, "float16")]),
                'tensor "t0" is float16; supported: int8, uint8, bool'),
    "odd split": (_graph("SPLIT", [_ints(1), (2, 5)], [(2, 2), (2, 3)], **_SPLIT),
                  "has 5 elements along axis 1; 2 outputs do not divide them"),
    "split axis": (_graph("SPLIT", [_ints(2), (2, 4)], [(2, 2), (2, 2)], **_SPLIT),
                   'tensor "t0" holds [2]; one axis, -2 to 1'),
    "split count": (_graph("SPLIT", [_ints(1), (2, 4)], [(2, 2), (2, 2)], num_splits=3),
                    "option num_splits is 3; allowed: 2 to 2"),
    "split sizes": (_graph("SPLIT_V", [(6,), _ints(4, 3), _ints(0)], [(4,), (3,)], **_SPLIT),
                    "sizes [4, 3] do not split the 6 elements"),
    "unpacked": (_graph("UNPACK", [(3, 4)], [(4,), (4,)], axis=0, num=2),
                 "does not have 2 elements along axis 0, one for each output"),
    "packed": (_graph("PACK", [(3, 4), (4, 3)], [(2, 3, 4)], axis=0, values_count=2),
               'tensor "t1" has shape [4, 3]'),
    "joined": (_graph("CONCATENATION", [(3, 4), (4, 3)], [(7, 4)], axis=0,
                      fused_activation_function="NONE"), "along axis 0 it does not fit"),
    "order": (_graph("TRANSPOSE", [(3, 4), _ints(0, 0)], [(3, 3)]),
              "holds [0, 0]; it must name each axis 0 to 1 once"),
    "reversed": (_graph("REVERSE_V2", [(3, 4), _ints(2)], [(3, 4)]), "axes are -2 to 1"),
    "broadcast": (_graph("BROADCAST_TO", [(3, 4), _ints(3, 5)], [(3, 5)]),
                  "has shape [3, 4]; it cannot be broadcast to [3, 5]"),
    "negative padding": (_graph("PAD", [(3,), _ints([-1, 2])], [(4,)]),
                         "holds [[-1, 2]]; they must not be negative"),
    "mirrored": (_graph("MIRROR_PAD", [(3,), _ints([3, 0])], [(6,)], mode="REFLECT"),
                 "pads 3 elements along axis 0 of tensor \"t0\", which has 2 to mirror"),
    "gathered": (_graph("GATHER", [(3,), _ints(1, 3)], [(2,)], axis=0, batch_dims=0),
                 'tensor "t1" holds index 3; sizes are [3]'),
    "gathered one": (_graph("GATHER", [(3,), np.array(-1, np.int32)], [()], axis=0, batch_dims=0),
                     'tensor "t1" holds index -1; sizes are [3]'),
    "gathered batches": (_graph("GATHER", [(3, 4), _ints(1, 2)], [(2,)], axis=1, batch_dims=1),
                         "do not have 1 batch dimensions before axis 1 in common"),
    "gathered deep": (_graph("GATHER_ND", [(3,), _ints([1, 2])], [(1,)]),
                      "has 2 indices for each slice"),
    "blocks": (_graph("SPACE_TO_BATCH_ND", [(1, 5, 2), _ints(2), _ints([0, 0])], [(2, 2, 2)]),
               "blocks [2] do not divide [5]"),
    "batches": (_graph("BATCH_TO_SPACE_ND", [(3, 5, 2), _ints(2), _ints([0, 0])], [(1, 10, 2)]),
                "blocks [2] do not divide 3 batches"),
    "depth": (_graph("DEPTH_TO_SPACE", [(1, 2, 2, 6)], [(1, 4, 4, 1)], block_size=2),
              "has 6 channels; 2x2 does not divide them"),
    "space": (_graph("SPACE_TO_DEPTH", [(1, 3, 2, 1)], [(1, 1, 1, 4)], block_size=2),
              "is 3x2; 2x2 does not divide it"),
    "resized": (_graph("RESIZE_NEAREST_NEIGHBOR", [(1, 3, 2, 1), _ints(6, 2)], [(1, 6, 4, 1)],
                       **_CORNERS), "options make it [1, 6, 2, 1]"),
    "resized both": (_graph("RESIZE_BILINEAR", [(1, 3, 2, 1), _ints(6, 2)], [(1, 6, 2, 1)],
                            align_corners=True, half_pixel_centers=True), "exclude each other"),
    "resized floats": (_graph("RESIZE_BILINEAR", [(1, 3, 2, 1, "float32"), _ints(6, 2)],
                              [(1, 6, 2, 1, "float32")], **_CORNERS), "quantize the model first"),
    "condition": (_graph("SELECT_V2", [(3,), (3,), (3,)], [(3,)]), "is int8; supported: bool"),
    "selected": (_graph("SELECT_V2", [(3, "bool"), (3,), (4,)], [(3,)]), "do not broadcast"),
    "updated": (_graph("DYNAMIC_UPDATE_SLICE", [(3,), (4,), (1, "int32")], [(3,)]),
                "is larger than [3]"),
    "filled": (_graph("FILL", [_ints(3), (2,)], [(3,)]), "has 2 elements; it must have 1"),
    "reduced": (_graph("REDUCE_MAX", [(3, 4), _ints(2)], [(3,)], keep_dims=False),
                'tensor "t1" holds axis 2; allowed: -2 to 1'),
    "arguments": (_graph("ARG_MAX", [(3, 4), _ints(0, 1)], [(1, "int32")]), "it takes one axis"),
    "wide argument": (_graph("ARG_MAX", [(3, 4), _ints(1)], [(3, "int64")]),
                      "is int64; supported: int32"),
    "summed": (_graph("CUMSUM", [(3, 4), _ints(5)], [(3, 4)], exclusive=False, reverse=False),
               "holds axis 5"),
    "slots": (_graph("CUSTOM:CIRCULAR_BUFFER", [(1, 1, 2, 3)], [(1, 4, 2, 3)], cycles_max=1),
              "must be a variable tensor; it keeps the last inputs"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", _WRONG)
def test_what_cannot_run_is_refused_by_a_sentence(wrong: str) -> None:
    graph, sentence = _WRONG[wrong]

    with pytest.raises(InputError) as refused:
        lower(graph, graph.ops[0])

    assert str(refused.value).startswith(f"operator #0 {graph.ops[0].kind}: ")
    assert sentence in str(refused.value)


def test_results_in_some_inferences_only_are_refused() -> None:
    graph = _graph("CUSTOM:CIRCULAR_BUFFER", [(1, 1, 2, 3)], [(1, 4, 2, 3)], cycles_max=2)
    slots = Tensor(1, "slots", (1, 4, 2, 3), "int8", None, _QUANTIZED, is_variable=True)
    graph = Graph("main", (graph.tensors[0], slots), graph.ops, (0,), (1,))

    with pytest.raises(InputError, match="option cycles_max is 2; supported: 1"):
        _lowered(graph)
