"""Who makes and who uses each tensor of a lowered graph, where aliases share one memory."""

from collections.abc import Mapping

from edgeasr.codegen.call import Alias, KernelCall, Nothing
from edgeasr.graph import Graph, Op

Lowered = Mapping[int, KernelCall | Alias | Nothing]


class Flow:
    """The flow of data between operations, which are named by their index.

    A root is the tensor that stands for all that share its memory.
    """

    def __init__(self, graph: Graph, lowered: Lowered):
        self.graph, self.lowered = graph, lowered
        self._sources = {m.target: m.source for m in lowered.values() if isinstance(m, Alias)}
        self._makers = {index: op for op in graph.ops for index in op.outputs}
        self._last: dict[int, int] = {}
        self._users: dict[int, set[int]] = {}
        for op in graph.ops:
            for index in op.inputs:
                if index >= 0:
                    self._use(index, op.index)
        for index in graph.outputs:
            self._use(index, len(graph.ops))

    def _use(self, index: int, step: int) -> None:
        root = self.root(index)
        self._users.setdefault(root, set()).add(step)
        self._last[root] = step

    def root(self, index: int) -> int:
        while index in self._sources:
            index = self._sources[index]
        return index

    def maker(self, index: int) -> Op | None:
        """Return the operation that writes the memory of a tensor; None for inputs and the like."""
        return self._makers.get(self.root(index))

    def users(self, index: int) -> set[int]:
        """Return the operations that use a tensor's memory; one after the last is the caller."""
        return self._users.get(self.root(index), set())

    def last(self, index: int) -> int:
        """Return the last use; -1 where there is none."""
        return self._last.get(self.root(index), -1)

    def computed(self, index: int) -> bool:
        """True when a kernel writes the whole memory of a tensor in each inference, and it alone.

        Not so for inputs, constants and variable tensors.
        """
        maker, root = self.maker(index), self.graph.tensor(self.root(index))
        return (
            maker is not None
            and isinstance(self.lowered[maker.index], KernelCall)
            and not root.is_variable
            and root.index not in self.graph.inputs
        )
