"""Compiled pipelines: texts -> scores with numpy, numba and pyarrow alone."""

from ._files import FORMAT
from ._model import CompiledPipeline

__all__ = ["FORMAT", "CompiledPipeline"]
