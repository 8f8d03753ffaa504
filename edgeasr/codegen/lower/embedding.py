"""EMBEDDING_LOOKUP: rows of a table of int8 or float32, as GATHER along the first axis."""

import dataclasses

from edgeasr.codegen.call import Alias, KernelCall
from edgeasr.codegen.lower import picking
from edgeasr.codegen.lower.view import OpView, named


def embedding_lookup(view: OpView) -> KernelCall | Alias:
    """EMBEDDING_LOOKUP; int8 that becomes float32 is refused."""
    view.arity(2, 2)
    indices, table = view.input(0, "int32"), view.input(1, "int8", "float32")
    view.rank(indices, 1)
    view.output(table.dtype)
    if len(table.shape) < 2:
        raise view.fail(f"{named(table)} has shape {list(table.shape)}; it needs 2 dimensions")
    op = dataclasses.replace(
        view.op, inputs=view.op.inputs[::-1], options={"axis": 0, "batch_dims": 0}
    )
    return picking.gather(dataclasses.replace(view, op=op))
