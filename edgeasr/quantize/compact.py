"""A converted `.tflite` becomes a smaller one that every interpreter runs to the same bits.

Left out: the converter's long tensor names, and the scales and zero points of the biases of
convolutions, which are the product of those of input and weights and are read by no kernel.
"""

_CONVOLUTIONS = {3: "conv2d", 4: "depthwise_conv2d"}  # BuiltinOperator codes of the schema.


def compact(content: bytes) -> bytes:
    """Return the file with short names: `op3` for what operation 3 makes, `op3/weights`."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for place, op in enumerate(graph.operators):
            _rename(model, graph, op, place, ends)
            if model.operatorCodes[op.opcodeIndex].builtinCode in _CONVOLUTIONS:
                bias = op.inputs[2] if len(op.inputs) > 2 else -1
                if bias >= 0:
                    graph.tensors[bias].quantization = None
        for index, name in (*zip(graph.inputs, ("features",)), *zip(graph.outputs, ("scores",))):  # noqa: B905
            graph.tensors[index].name = name
    builder = Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _rename(model, graph, op, place: int, ends: set[int]) -> None:
    for position, index in enumerate(op.inputs):
        if index < 0 or index in ends:
            continue
        data = model.buffers[graph.tensors[index].buffer].data
        if data is not None and len(data):
            part = ("input", "weights", "bias")[min(position, 2)]
            graph.tensors[index].name = f"op{place}/{part}"
    for index in op.outputs:
        if index not in ends:
            graph.tensors[index].name = f"op{place}"
