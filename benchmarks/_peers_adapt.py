"""The adaptation peers on MiniLM's vectors of reviews by sentence, each with logistic regression (C=10).

The rows of skada and scikit-learn that accuracy_transfer has are not measured again.
"""

from functools import partial

import numpy as np

from ._peers import Peer
from .accuracy_transfer import logistic, skada_rows

KIND = "minilm"


def dense(split):
    return (rows.astype(np.float64) for rows in split.rows(KIND))


def by_skada(name, **options):
    def predict(split):
        import skada
        import sklearn

        sklearn.set_config(enable_metadata_routing=False)  # skada switches it on for the process
        return skada_rows(KIND, partial(getattr(skada, name), **options))(split)

    return predict


def by_skada_weights(name):
    """A peer's weights of source rows, for a logistic regression that asks for them."""

    def predict(split):
        import skada

        def make(head):
            return getattr(skada, name)(head.set_fit_request(sample_weight=True))

        return skada_rows(KIND, make)(split)

    return predict


def by_pot(name, **options):
    """Source rows are carried to the target; target rows stay as they are."""

    def predict(split):
        import ot.da

        source, seen, scored = dense(split)
        carried = getattr(ot.da, name)(**options).fit(Xs=source, ys=split.y, Xt=seen).transform(Xs=source)
        return logistic().fit(carried, split.y).predict(scored)

    return predict


def by_adapt(module, name, **options):
    def predict(split):
        import importlib

        source, seen, scored = dense(split)
        make = getattr(importlib.import_module(f"adapt.{module}"), name)
        model = make(logistic(), Xt=seen, verbose=0, random_state=0, **options)
        return np.ravel(model.fit(source, split.y).predict(scored))

    return predict


GAMMAS = {"kernel": "rbf", "gamma": [0.1, 1.0, 10.0]}  # each chooses among them
# skada's CORAL with its default reg gives nan here. POT: the settings of its gallery, with costs divided by
# their median, so that these mean the same here; the slow ones last
PEERS = {
    "skada: CORAL": Peer("skada", by_skada("CORAL", reg=0.1)),
    "skada: subspace alignment": Peer("skada", by_skada("SubspaceAlignment", n_components=30)),
    "skada: linear OT (reg 1, about centring)": Peer("skada", by_skada("LinearOTMapping")),
    "skada: nearest-neighbour weights": Peer("skada", by_skada_weights("NearestNeighborReweight")),
    "POT: LinearTransport": Peer("POT", by_pot("LinearTransport", reg=1e-3)),
    "POT: EMDTransport": Peer("POT", by_pot("EMDTransport")),
    "POT: SinkhornTransport": Peer("POT", by_pot("SinkhornTransport", reg_e=0.1, norm="median")),
    "adapt: CORAL": Peer("adapt", by_adapt("feature_based", "CORAL")),
    "adapt: subspace alignment": Peer("adapt", by_adapt("feature_based", "SA", n_components=30)),
    "adapt: RULSIF": Peer("adapt", by_adapt("instance_based", "RULSIF", **GAMMAS)),
    "adapt: nearest-neighbour weights": Peer(
        "adapt", by_adapt("instance_based", "NearestNeighborsWeighting")
    ),
    "adapt: KLIEP": Peer("adapt", by_adapt("instance_based", "KLIEP", **GAMMAS)),
    "POT: SinkhornLpl1Transport": Peer(
        "POT", by_pot("SinkhornLpl1Transport", reg_e=0.1, reg_cl=1.0, norm="median")
    ),
}
