"""TransferPipeline: embed, adapt, classify as one estimator that also sees unlabelled target data."""

from ._pipeline import Target, TransferPipeline, for_source, make_transfer_pipeline, source_scorer

__all__ = ["Target", "TransferPipeline", "for_source", "make_transfer_pipeline", "source_scorer"]
