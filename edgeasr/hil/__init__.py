"""Host in the loop: what the firmware makes of its input must be what the host makes of it.

The host has the same C front end, and TFLite-Micro's interpreter (or, where that is not installed,
the generated C of the engine compiled for this computer) for the model. Everything is compared bit
for bit.

run           recordings as clips: features, scores, decision
run_streams   recordings as streams, for a model with state: every inference, and the events
run_tensors   inputs of any kind, for a model without a front end too: every output
prove         the port itself: clock, line, memory, one inference
"""

from edgeasr.hil.clips import run, select, stream_clips
from edgeasr.hil.files import check_writable, write_text
from edgeasr.hil.proof import prove
from edgeasr.hil.reference import Reference
from edgeasr.hil.report import Outcome, Report
from edgeasr.hil.streams import TAIL_S, StreamOutcome, StreamReport, run_streams, select_streams
from edgeasr.hil.tensors import (
    TensorReport,
    compare_tensors,
    random_inputs,
    read_inputs,
    run_tensors,
)

__all__ = [
    "TAIL_S",
    "Outcome",
    "Reference",
    "Report",
    "StreamOutcome",
    "StreamReport",
    "TensorReport",
    "check_writable",
    "compare_tensors",
    "prove",
    "random_inputs",
    "read_inputs",
    "run",
    "run_streams",
    "run_tensors",
    "select",
    "select_streams",
    "stream_clips",
    "write_text",
]
