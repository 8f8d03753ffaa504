"""Train the small convolutional digit net of the tutorials in PyTorch, and end on a board.

    python tools/torch_digits.py DATA --out build/torch-digits

DATA: a folder of recordings, as for 'edgeasr train digits'. Needs the extras train and torch. The
net learns edgeasr's own features; then each command is printed as a person would type it: import,
quantize, export, build, and hil, which streams recordings of test through the firmware and ends
with 1 when any feature or score differs from the host's.
"""

import argparse
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgeasr import training
from edgeasr.decision import Decision
from edgeasr.models.fitting import Batches, Recipe, Scale, scale_of
from edgeasr.models.picture import PictureSpec
from edgeasr.training.options import Arrays, Observer, Options

BATCH = 64
# Gentler than the zoo's: a net this small learns few throats.
PICTURE = PictureSpec(warp=0.08, bend=0.8, frequency_mask=4, time_mask=6)


class DigitNet(nn.Module):
    """Convolution, pooling, convolution, pooling, dense: windows [n, 1, frames, features]."""

    def __init__(self, frames: int, features: int, labels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32 * (frames // 4) * (features // 4), labels),
        )

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        return self.body(window)


def train(arrays: Arrays, scale: Scale, epochs: int, seed: int) -> nn.Module:
    """Return the net that did best on val, in mean accuracy over classes."""
    torch.manual_seed(seed)
    frames, features = arrays.train.features.shape[2:]
    labels = len(arrays.train.names)
    net = DigitNet(frames, features, labels)
    recipe = Recipe(epochs=epochs, batch=BATCH, mix=0.0, seed=seed, picture=PICTURE)
    batches = Batches(arrays.train, scale, recipe)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    steps = batches.steps * epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    best = (0.0, net.state_dict())
    for epoch in range(1, epochs + 1):
        net.train()
        losses = []
        for pictures, targets in batches.epoch():
            logits = net(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()))
            wanted = torch.from_numpy(targets[:, :labels].astype(np.float32))
            loss = nn.functional.cross_entropy(logits, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        right, balanced = accuracy(net, arrays.val, scale)
        print(f"epoch {epoch}: loss {np.mean(losses):.3f}, val {100 * right:.1f} %, "
              f"class mean {100 * balanced:.1f} %", flush=True)  # fmt: skip
        if balanced > best[0]:
            best = (balanced, {k: v.clone() for k, v in net.state_dict().items()})
    net.load_state_dict(best[1])
    return net.eval()


def accuracy(net: nn.Module, part, scale: Scale) -> tuple[float, float]:
    """Return the share of clips recognised, and its mean over classes."""
    net.eval()
    with torch.no_grad():
        logits = net(torch.from_numpy(scale(part.features[:, :1])))
    right = logits.numpy().argmax(axis=1) == part.labels
    return float(right.mean()), float(np.mean([right[part.labels == n].mean()
                                               for n in np.unique(part.labels)]))  # fmt: skip


def facts(options: Options, arrays: Arrays, scale: Scale) -> str:
    """Return the model's facts as TOML: what a sidecar holds."""
    front_end = options.window.front_end.to_dict()
    decision = Decision(ignored=tuple(arrays.train.names[:2])).to_dict()
    return "\n".join(
        [
            'name = "torch-digits"',
            f"labels = {_toml(list(arrays.train.names))}",
            f"frames = {options.window.frames}",
            f"feature_scale = {scale.scale!r}",
            f"feature_offset = {scale.offset!r}",
            "[front_end]",
            *(f"{key} = {_toml(value)}" for key, value in front_end.items()),
            "[decision]",
            *(f"{key} = {_toml(value)}" for key, value in decision.items()),
            "[provenance]",
            f'task = "{options.task}"',
            "",
        ]
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def edgeasr(*words: object) -> None:
    """Run a command of edgeasr, shown as typed; end when it fails."""
    command = ["edgeasr", *map(str, words)]
    print(f"$ {shlex.join(command)}", flush=True)
    done = subprocess.run([sys.executable, "-m", *command], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/torch-digits"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--takes", type=int, default=6, help="changed versions of each clip")
    parser.add_argument("--synthetic", type=int, default=0, help="synthetic voices a word")
    parser.add_argument("--board", default="qemu_mps2_an386")
    parser.add_argument("--clips", type=int, default=60, help="of test, streamed to the board")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    options = replace(Options("digits"), takes=given.takes, synthetic=given.synthetic)
    watching = Observer(say=print)
    arrays = training.compute(training.gather(given.data, options, watching), options, watching)
    scale = scale_of(arrays.train)
    net = train(arrays, scale, given.epochs, given.seed)
    print(f"PyTorch, float: {100 * accuracy(net, arrays.test, scale)[0]:.2f} % of "
          f"{len(arrays.test)} clips of test", flush=True)  # fmt: skip

    out = given.out
    out.mkdir(parents=True, exist_ok=True)
    window = torch.zeros(1, 1, *arrays.train.features.shape[2:])
    torch.export.save(torch.export.export(net, (window,)), str(out / "torch-digits.pt2"))
    (out / "facts.toml").write_text(facts(options, arrays, scale))
    model, int8, project = out / "digits.keras", out / "digits-int8.tflite", out / "firmware"
    edgeasr("import", out / "torch-digits.pt2", "--facts", out / "facts.toml", "--out", model)
    edgeasr("quantize", model, "--data", given.data, "--out", int8, "--seed", given.seed)
    edgeasr("export", int8, "--board", given.board, "--out", project, "--force")
    edgeasr("build", project)
    edgeasr("hil", project, "--clips", given.data / "digits", "--resample", "--limit", given.clips)


if __name__ == "__main__":
    main()
