"""What fitting leaves: the kind of a forecaster and its arrays, so that a trained model is data."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """Every forecaster there is; a bundle names them by these words."""

    NETWORK = "network"
    RIDGE = "ridge"
    SMOOTHING = "smoothing"
    THETA = "theta"
    SEASONAL_NAIVE = "seasonal_naive"
    DRIFT = "drift"
    NAIVE = "naive"
    INTERMITTENT = "intermittent"


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fitted forecaster: `arrays` by name, float64 or int64; per-series arrays follow the order of `ids`."""

    kind: Kind
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)
