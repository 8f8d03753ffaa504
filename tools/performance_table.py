"""The tables of firmware_templates/PERFORMANCE.md, to paste there.

python tools/performance_table.py             totals by core, from tests/sim/baseline.json
python tools/performance_table.py MODEL BOARD…    instructions by kind of layer, counted now
"""

import sys
import tempfile
from pathlib import Path

from edgeasr import bench, boards, deploy, speech
from edgeasr.bench import baseline

_BASELINE = Path(__file__).parents[1] / "tests" / "sim" / "baseline.json"
MODELS = ("mlperf_tiny_kws_ref_model.tflite", "tflm_micro_speech_quantized.tflite")
_BEFORE = {
    ("qemu_mps2_an386", MODELS[0]): "13,239,833",
    ("qemu_mps2_an386", MODELS[1]): "1,509,375",
    ("qemu_mps3_an547", MODELS[0]): "5,954,157",
    ("qemu_mps3_an547", MODELS[1]): "1,395,306",
}
_PEER = {
    ("qemu_mps2_an385", MODELS[0]): "10.53 M",
    ("qemu_mps2_an386", MODELS[0]): "7,698,876",
    ("qemu_mps2_an500", MODELS[0]): "7.642 M",
    ("qemu_mps2_an505", MODELS[0]): "7.679 M",
    ("qemu_mps3_an547", MODELS[0]): "1,813,689",
    ("qemu_mps2_an386", MODELS[1]): "1,495,409",
    ("qemu_mps3_an547", MODELS[1]): "1.008 M",
}


def totals() -> list[str]:
    """Return the rows of instructions, flash and RAM by model and core."""
    held = baseline.load(_BASELINE)
    lines = [
        "| Model | Core | TFLM + CMSIS-NN | `ear` before | `ear` | flash | RAM |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for model in MODELS:
        for board in sorted(held):
            found = held[board].get("ear", {}).get(model)
            if found and "instructions" in found:
                cells = [_PEER.get((board, model), "–"), _BEFORE.get((board, model), "–")]
                cells += [f"{found[n]:,}" for n in ("instructions", "flash_bytes", "ram_bytes")]
                core = boards.load(board).core
                lines.append(f"| `{model}` | {core} | {' | '.join(cells)} |")
    return lines


def layers(model: str, board: str) -> list[str]:
    """Return the rows of instructions by kind of layer, largest first."""
    loaded = deploy.load_model(model, front_end=speech.NONE)
    with tempfile.TemporaryDirectory() as folder:
        chosen = boards.load(board)
        found = bench.compare(loaded, chosen, Path(folder), engines=["ear"], inputs=1)
    sums: dict[str, list[int]] = {}
    for layer in found.engines[0].layers:
        held = sums.setdefault(layer.kind, [0, 0, 0])
        for place, value in enumerate((1, layer.macs, layer.instructions or 0)):
            held[place] += value
    rows = sorted(sums.items(), key=lambda item: -item[1][2])
    return [
        f"| {chosen.core} | {count} {kind} | {macs:,} | {each:,} | "
        f"{f'{each / macs:.2f}' if macs else '–'} |"
        for kind, (count, macs, each) in rows
    ]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(totals()))
    for name in sys.argv[2:]:
        print("\n".join(layers(sys.argv[1], name)))
