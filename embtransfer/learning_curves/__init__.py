"""Learning curves over labels of the source and of the target."""

from ._curve import learning_curve
from ._plot import plot_learning_curve, summarize_learning_curve

__all__ = ["learning_curve", "plot_learning_curve", "summarize_learning_curve"]
