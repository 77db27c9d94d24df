"""Compiled pipelines: texts -> scores with numpy, numba and pyarrow alone."""

from ._model import CompiledPipeline

__all__ = ["CompiledPipeline"]
