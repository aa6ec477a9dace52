"""The array types every module of the scheduler speaks of."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Counts = NDArray[Any]  # int32 by node, int64 by a label's values
Shorts = NDArray[np.int32]
Codes = NDArray[np.intp]
Floats = NDArray[np.float64]
