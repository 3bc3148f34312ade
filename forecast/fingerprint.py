"""What tells trainings apart: the numbers of a panel, and the settings that weights depend on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.options import TrainOptions, as_record
from forecast.panels.panel import Panel
from forecast.plan import Plan


@dataclass(frozen=True)
class Fingerprint:
    """Which training it is: equal ones give equal weights, on one machine with one set of packages."""

    data: str  # of the panel: 64 hex digits
    settings: Mapping[str, Any]  # plain values, by name


def fingerprint_of(panel: Panel, plan: Plan, options: TrainOptions) -> Fingerprint:
    """Return what the training of a plan on a panel, as it was read, is told by."""
    settings = as_record(plan) | {"trials": options.trials, "device": options.device}
    return Fingerprint(of_panel(panel), json.loads(json.dumps(settings)))


def of_panel(panel: Panel) -> str:
    """Return 64 hex digits that stand for everything in a panel: ids, times, every number, what covariates mean."""
    words = [list(panel.ids), list(panel.targets), str(panel.calendar), [str(one) for one in panel.encodings]]
    digest = hashlib.sha256(json.dumps(words).encode())
    arrays = (panel.starts, panel.begins, panel.lengths, panel.limits, panel.channel, panel.target, panel.filled)
    for array in (*arrays, panel.past, panel.future, panel.static):
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
