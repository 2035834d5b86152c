"""The closed table of layers: whatever a file calls its own, only these are built."""

from collections.abc import Mapping

from headstart.modelfile.kinds import Kind
from headstart.modelfile.kinds_convolution import CONVOLUTIONS
from headstart.modelfile.kinds_merging import MERGING
from headstart.modelfile.kinds_plain import PLAIN
from headstart.modelfile.kinds_pooling import POOLING

KINDS: Mapping[str, Kind] = {**CONVOLUTIONS, **MERGING, **PLAIN, **POOLING}
"""By the name of each kind in Keras."""
