"""A study of made-up numbers, of the size of a real one."""

import numpy as np

from edgeasr.report.study import (
    Goal,
    Histogram,
    Histograms,
    LayerRow,
    LayerTable,
    Model,
    Point,
    Row,
    Search,
    Seed,
    Study,
)

_RECIPES = (
    ("int8", "uniform8/channel/max", "post-training", 1.0, 0.3, 0),
    ("int8 QAT", "uniform8/channel/mse", "QAT", 1.0, 0.0, -3),
    ("4-bit", "uniform4/channel/mse", "QAT", 0.53, 0.3, 0),
    ("codebook of 16", "codebook16/channel", "QAT", 0.54, 0.3, -1),
    ("3-bit codebook", "codebook8/channel", "QAT", 0.41, 1.0, 5),
    ("power of two", "pot4/channel/mse", "incremental", 0.53, 0.7, 2),
    ("ternary", "ternary/channel/mse", "incremental", 0.27, 2.0, 19),
    ("mixed", "ternary to uniform8", "search", 0.39, 0.5, 1),
)
_SHARES = (1.0, 1.0, 0.54, 0.54, 0.42, 0.54, 0.30, 0.40)


def study(name: str = "digits", layers: int = 6, counted: bool = True) -> Study:
    """Return a study of one model; `name` goes into every text that comes from outside."""
    generator = np.random.default_rng(7)
    names = [f"{name} conv {place}" for place in range(layers)]
    model = Model(
        name=name,
        reference="float model",
        reference_accuracy=0.9053,
        reference_command=f"edgeasr train {name}",
        int8_weight_bytes=34_000,
        split="676 test clips of unheard speakers",
        rows=tuple(_rows(name, counted)),
        core="Cortex-M4F",
        layers=(LayerTable("4-bit", f"edgeasr inspect {name}", _layers(names, generator)),),
        histograms=(Histograms("4-bit", "edgeasr inspect", _histograms(names, generator)),),
        search=_search(name, names, generator, counted),
    )
    return Study("edgeasr quantize --study", (model,), {"tensorflow": "2.21.0", "numpy": "2.4.6"})


def _rows(name, counted):
    for place, ((recipe, scheme, method, share, points, lost), most) in enumerate(
        zip(_RECIPES, _SHARES, strict=True)
    ):
        seeds = tuple(
            Seed(seed, 612 - lost + seed - 2, 676, int(34_000 * share) + 8 * seed, int(seed == 3))
            for seed in (1, 2, 3)
        )
        yield Row(
            recipe=f"{name}: {recipe}",
            scheme=scheme,
            method=method,
            command=f"edgeasr quantize {name}.keras --recipe '{recipe}' --seeds 1,2,3",
            seeds=seeds if method != "post-training" else seeds[:1],
            goal=Goal(points, most),
            instructions=7_000_000 + 130_000 * place if counted else None,
            note="seed 3: clip 0_nobody_1 lies on the border of two words" if place == 4 else "",
        )


def _layers(names, generator):
    return tuple(
        LayerRow(
            layer=name,
            kind="DEPTHWISE_CONV_2D" if place % 2 else "CONV_2D",
            scheme="uniform4/channel/mse",
            packing="uniform4",
            bytes_before=1000 * (place + 1),
            bytes_after=520 * (place + 1),
            sqnr_weights_db=float(20 + generator.normal(0, 2)),
            sqnr_activations_db=None if place == 2 else float(17 + generator.normal(0, 3)),
            accuracy_lost_alone=float(generator.normal(0.002, 0.003)) if place else None,
        )
        for place, name in enumerate(names)
    )


def _histograms(names, generator):
    found = []
    for place, name in enumerate(names):
        counts, edges = np.histogram(generator.normal(0, 0.1 + 0.02 * place, 3000), 60)
        levels = np.linspace(-0.3, 0.3, 15)
        found.append(Histogram(name, tuple(edges), tuple(counts.tolist()), tuple(levels)))
    return tuple(found)


def _search(name, names, generator, counted):
    points = []
    for _ in range(90):
        bits = generator.choice((8, 4, 3, 2), len(names))
        flash = int(34_000 * bits.mean() / 8)
        loss = float(0.3 + 0.02 * np.sum(2.0 ** (4 - bits)) * generator.uniform(0.7, 1.3))
        cost = 7_000_000 + 90_000 * int((bits < 8).sum()) if counted else None
        schemes = {layer: f"uniform{b}" for layer, b in zip(names, bits, strict=True)}
        points.append((0.93 - loss / 12, loss, flash, cost, schemes))
    on_front = [not any(o[1] < p[1] and o[2] <= p[2] for o in points) for p in points]
    fitting = [place for place, point in enumerate(points) if point[2] < 15_000]
    best = min(fitting, key=lambda place: points[place][1])
    return Search(
        command=f"edgeasr quantize {name}.keras --search --evaluations 90",
        rule="lowest loss within the budget",
        points=tuple(Point(*p, on) for p, on in zip(points, on_front, strict=True)),
        best=best,
        budget_bytes=15_000,
    )
