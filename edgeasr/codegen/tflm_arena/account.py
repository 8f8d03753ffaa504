"""The account: every allocation that TFLite-Micro makes for a model, in its order.

The arena has persistent memory at its end, growing down, and at its start the memory plan, which
during the setting up holds temporary structs. What must fit is the largest sum of both at any
moment, and once the tables of the memory planner, which lie there too.
Sources: tensorflow/lite/micro/micro_allocator.cc, micro_allocation_info.cc,
micro_interpreter.cc, arena_allocator/single_arena_buffer_allocator.cc.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeasr.codegen.tflm_arena import kernels
from edgeasr.codegen.tflm_arena.abi import align_up
from edgeasr.codegen.tflm_arena.contents import Contents, Subgraph, TensorRecord
from edgeasr.codegen.tflm_arena.kernels import Kernel, Node, Persistent, Request, Scratch
from edgeasr.codegen.tflm_arena.planner import Buffer, plan_bytes
from edgeasr.codegen.tflm_arena.variants import Target
from edgeasr.errors import InputError

ALIGNMENT = 16
# Requests of scratch that the allocator keeps room for, ahead of each operator.
_REQUESTS_AHEAD = 12
# Bytes of the planner's tables for one buffer: seven times int, four in a struct and three beside.
_PLANNER_BYTES_PER_BUFFER = 40

# Planning takes the square of it, here as there.
_MOST_BUFFERS = 4096
# What a kernel's tensors raise that have not the ranks and values that it takes.
_MISFITS = (IndexError, ValueError, TypeError, AttributeError, ZeroDivisionError)

_ALLOCATOR = "8pi"
_MICRO_ALLOCATOR = "5pb3p"
_PLANNER = "p2i4p2ipb"
_BUILTIN_DATA_ALLOCATOR = "2p"
_SUBGRAPH_ALLOCATIONS = "2p"
_ALLOCATION_INFO = "2p3ib"
_SCRATCH_REQUEST = "p2i"
_VARIABLES = "p2i"
_VARIABLE = "4pb"


@dataclass(frozen=True)
class Call:
    """A scratch buffer of an operator: subgraph and operator by number."""

    subgraph: int
    operator: int
    bytes: int


class Account:
    """Runs through the allocations.

    need: the smallest arena so far in which nothing overlaps. checked: the smallest one that the
    allocator takes: it does not see persistent memory that grows into temporary structs.
    parts: what took it. plan: bytes of the memory plan.
    """

    def __init__(self, contents: Contents, target: Target, kernel_of: Mapping[str, Kernel]):
        self.contents = contents
        self.target = target
        self.abi = target.abi
        self.kernel_of = kernel_of
        self.head = self.temp = self.tail = self.need = self.checked = 0
        self.parts: Counter[str] = Counter()
        self.scratch: list[Call] = []
        self.plan = 0
        self.guessed: set[str] = set()

    # The arena.

    def persistent(self, part: str, size: int, alignment: int = ALIGNMENT) -> None:
        before = self.tail
        self.tail = align_up(self.tail + size, alignment)
        self.parts[part] += self.tail - before
        self.need = max(self.need, max(self.head, self.temp) + self.tail)
        self.checked = max(self.checked, self.head + self.tail)

    def structs(self, part: str, fields: str, count: int = 1) -> None:
        self.persistent(part, count * self.abi.size(fields), self.abi.alignment(fields))

    def temporary(self, size: int, alignment: int) -> None:
        self.temp = align_up(self.temp, alignment) + size
        self.fits(self.temp + self.tail)

    def resize_head(self, size: int) -> None:
        self.head = self.temp = size
        self.fits(self.head + self.tail)

    def fits(self, size: int) -> None:
        self.need = max(self.need, size)
        self.checked = max(self.checked, size)

    # TfLiteTensor structs.

    def temporary_tensor(self, tensor: TensorRecord) -> None:
        for size, alignment in self.tensor_structs(tensor):
            self.temporary(size, alignment)

    def persistent_tensor(self, tensor: TensorRecord) -> None:
        for size, alignment in self.tensor_structs(tensor):
            self.persistent("ends", size, alignment)

    def tensor_structs(self, tensor: TensorRecord) -> Iterator[tuple[int, int]]:
        fields = [self.target.tensor, *[kernels.AFFINE_QUANTIZATION] * bool(tensor.channels)]
        yield from ((self.abi.size(f), self.abi.alignment(f)) for f in fields)
        if tensor.channels:
            yield kernels.int_array(tensor.channels), 4

    # The steps of MicroInterpreter.

    def run(self) -> None:
        self.create()
        self.start()
        self.read_options()
        self.initialize()
        self.prepare()
        self.commit()
        self.keep_ends()

    def create(self) -> None:
        recording, lists = self.target.recording, 8 if self.target.compression else 7
        self.structs("allocator", _ALLOCATOR + "4p" * recording)
        self.structs("allocator", _PLANNER)
        self.structs("allocator", _MICRO_ALLOCATOR + f"p {3 * lists}p" * recording)
        if self.contents.variables:
            self.persistent("variables", self.abi.size(_VARIABLES))
            self.persistent("variables", self.contents.variables * self.abi.size(_VARIABLE))

    def start(self) -> None:
        subgraphs = self.contents.subgraphs
        self.structs("allocator", _BUILTIN_DATA_ALLOCATOR)
        self.reserve_requests()
        allocations = _SUBGRAPH_ALLOCATIONS + "p" * self.target.compression
        self.structs("allocator", allocations, len(subgraphs))
        for subgraph in subgraphs:
            self.structs("tensors", kernels.EVAL_TENSOR, len(subgraph.tensors))
        for subgraph in subgraphs:
            self.structs("operators", self.target.node, len(subgraph.operators))

    def reserve_requests(self) -> None:
        count = len(self.scratch) + _REQUESTS_AHEAD
        self.resize_head(count * self.abi.size(_SCRATCH_REQUEST))

    def nodes(self) -> Iterator[tuple[int, int, Node, Kernel]]:
        for number, subgraph in enumerate(self.contents.subgraphs):
            for index, operator in enumerate(subgraph.operators):
                node = Node(
                    operator,
                    tuple(subgraph.tensors[i] if i >= 0 else None for i in operator.inputs),
                    tuple(subgraph.tensors[i] for i in operator.outputs),
                    self.abi,
                )
                yield number, index, node, self.kernel_of[operator.kind]

    def read_options(self) -> None:
        for _, _, _, kernel in self.nodes():
            if kernel.builtin:
                self.structs("options", kernel.builtin)

    def initialize(self) -> None:
        for _, _, node, kernel in self.nodes():
            if kernel.data:
                self.persistent("kernels", self.abi.size(kernel.data))
            for request in self.first_requests(kernel, node):
                self.persistent("kernels", request.bytes)

    def first_requests(self, kernel: Kernel, node: Node) -> list[Persistent]:
        """Return what `init` asks for after its data; all of it is persistent."""
        try:
            return list(kernel.init(node))
        except (KeyError, *_MISFITS) as error:
            raise InputError(
                f"{node.operator.kind}: has not the options that TFLite-Micro's kernel reads "
                f"({type(error).__name__}: {error})"
            ) from None

    def prepare(self) -> None:
        handles: dict[tuple[int, int], bytes] = {}
        placed: set[bytes] = set()
        for number, index, node, kernel in self.nodes():
            operator = node.operator
            for request in self.requests(kernel, node):
                self.request(request, number, index)
            if operator.variable and operator.outputs:
                handles[number, operator.outputs[0]] = operator.variable
            elif operator.kind == "ASSIGN_VARIABLE" and len(node.inputs) == 2 and node.inputs[1]:
                name = handles.get((number, operator.inputs[0]))
                if name is not None and name not in placed:
                    placed.add(name)
                    self.persistent("variables", node.inputs[1].bytes)
            self.temp = self.head
            self.reserve_requests()

    def requests(self, kernel: Kernel, node: Node) -> list[Request]:
        """Return what `prepare` asks for; guess high without options, as in called subgraphs."""
        kind = node.operator.kind
        try:
            return list(kernel.prepare(node))
        except KeyError:
            self.guessed.add(kind)
            size = sum(tensor.bytes for tensor in (*node.inputs, *node.outputs) if tensor)
            return [*kernels.ends(node), *kernels.ends(node), Persistent(size), Scratch(2 * size)]
        except _MISFITS as error:
            raise InputError(
                f"{kind}: TFLite-Micro's kernel cannot take these tensors "
                f"({type(error).__name__}: {error})"
            ) from None

    def request(self, request: Request, subgraph: int, operator: int) -> None:
        match request:
            case Persistent():
                self.persistent("kernels", request.bytes)
            case Scratch():
                self.scratch.append(Call(subgraph, operator, request.bytes))
            case _:
                self.temporary_tensor(request.tensor)

    def commit(self) -> None:
        subgraphs = self.contents.subgraphs
        if self.scratch:
            self.structs("kernels", "p", len(self.scratch))
        self.temporary(self.abi.size("p") * len(subgraphs), self.abi.alignment("p"))
        count = sum(len(subgraph.tensors) for subgraph in subgraphs) + len(self.scratch)
        info = self.abi.size(_ALLOCATION_INFO)
        self.temporary(count * info, self.abi.alignment(_ALLOCATION_INFO))
        offsets = self.contents.offsets
        for subgraph in subgraphs:
            for index, tensor in enumerate(subgraph.tensors):
                if tensor.variable and (offsets is None or offsets[index] == -1):
                    self.persistent("variables", tensor.bytes)
        buffers = list(Lifetimes(self.contents, self.scratch).buffers())
        if len(buffers) > _MOST_BUFFERS:
            raise InputError(
                f"{len(buffers):,} tensors to place in TFLite-Micro's arena; at most "
                f"{_MOST_BUFFERS:,} are planned; convert a smaller model"
            )
        self.plan = plan_bytes(buffers)
        tables = _PLANNER_BYTES_PER_BUFFER * len(buffers)
        self.fits(
            align_up(align_up(self.temp, ALIGNMENT) + tables, ALIGNMENT)
            + align_up(self.tail, ALIGNMENT)
        )
        self.resize_head(self.plan)
        self.parts["plan"] = self.plan

    def keep_ends(self) -> None:
        main: Subgraph = self.contents.subgraphs[0]
        for indices in (main.inputs, main.outputs):
            self.persistent("ends", self.abi.size("p") * len(indices))
            for index in indices:
                self.persistent_tensor(main.tensors[index])


class Lifetimes:
    """When each tensor and scratch buffer lives, in time steps of one run through the model."""

    def __init__(self, contents: Contents, scratch: list[Call]):
        self.contents = contents
        self.scratch = scratch
        self.time = 0
        self.lives: list[dict[int, list[int]]] = [{} for _ in contents.subgraphs]
        self.scratch_lives: list[list[int]] = [[-1, -1] for _ in scratch]
        self.scratch_of: dict[tuple[int, int], list[list[int]]] = {}
        for call, life in zip(scratch, self.scratch_lives, strict=True):
            self.scratch_of.setdefault((call.subgraph, call.operator), []).append(life)
        self.made = self.handles()

    def handles(self) -> set[tuple[int, int]]:
        """Tensors whose data a VAR_HANDLE has in its own memory."""
        return {
            (number, operator.outputs[0])
            for number, subgraph in enumerate(self.contents.subgraphs)
            for operator in subgraph.operators
            if operator.kind == "VAR_HANDLE"
        }

    def buffers(self) -> Iterator[Buffer]:
        """Return the buffers to plan, in the planner's order."""
        self.mark(0)
        position = 0
        offsets = self.contents.offsets
        for number, subgraph in enumerate(self.contents.subgraphs):
            for index, tensor in enumerate(subgraph.tensors):
                offset = offsets[position] if offsets else -1
                position += 1
                fixed = tensor.variable and offset != -1
                free = not (tensor.constant or tensor.variable or (number, index) in self.made)
                if fixed or (free and tensor.bytes):
                    first, last = self.lives[number].get(index, (-1, -1))
                    size = align_up(tensor.bytes, ALIGNMENT)
                    yield Buffer(size, first, last, None if offset == -1 else offset)
        for call, (first, last) in zip(self.scratch, self.scratch_lives, strict=True):
            yield Buffer(align_up(call.bytes, ALIGNMENT), first, last)

    def mark(self, number: int) -> None:
        subgraph = self.contents.subgraphs[number]
        lives = self.lives[number]

        def created(index: int) -> None:
            life = lives.setdefault(index, [-1, -1])
            if life[0] == -1:
                life[0] = self.time

        def used(index: int) -> None:
            lives.setdefault(index, [-1, -1])[1] = self.time

        for index in subgraph.inputs:
            created(index)
            used(index)
        for position, operator in enumerate(subgraph.operators):
            self.time += 1
            for index in operator.outputs:
                created(index)
            start = self.time
            for called in operator.calls:
                self.time += 1
                self.mark(called)
            for index in (*operator.inputs, *operator.outputs):
                if index >= 0:
                    used(index)
            for life in self.scratch_of.get((number, position), ()):
                life[:] = [life[0] if life[0] != -1 else start, self.time]
        for index in subgraph.outputs:
            created(index)
            used(index)
