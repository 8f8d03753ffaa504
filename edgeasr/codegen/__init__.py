"""Graph and plan to C: lowering, packing, names and literals, templates."""
