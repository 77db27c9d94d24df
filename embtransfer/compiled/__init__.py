"""Compiled pipelines: texts -> scores with numpy, numba and pyarrow alone."""

from ._files import is_model
from ._model import CompiledPipeline

__all__ = ["CompiledPipeline", "is_model"]
