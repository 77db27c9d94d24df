"""explain: one text's decision as a sum over its words."""

import numpy as np

from .._names import first_few
from .._texts import check_texts, is_missing, iter_text_chunks
from .._types import Estimator
from ..compiled import CompiledPipeline, _heads
from ._explanation import Explanation
from ._shares import Reading, decision_matrix, program_shares


def explain(model: Estimator, text: str | None, *, label: object = None, spread: bool = True) -> Explanation:
    r"""Explain a prediction: how much each word of a text speaks for a class.

    Nothing is sampled or approximated: what folds is a sum over words, and the shares are its summands.

    Parameters
    ----------
    model : CompiledPipeline, or fitted pipeline that `compile_pipeline` folds
        Compile once to explain many texts: a pipeline is folded anew at each call.
    text : str or None
        None and other missing values are an empty text.
    label : object, default=None
        The class whose decision is explained. None is the predicted one, which is what is asked most often;
        of several labels a text the most probable.
    spread : bool, default=True
        Whether, where words are averaged, the constant is averaged with them. Vectors have much in common,
        which the constant takes off again: kept apart (False), it is large and most words have its opposite
        sign, whatever they say.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If the pipeline does not fold, or the model has no class of that label.
    TypeError
        If text is not one text.

    See Also
    --------
    word_weights : The words that decide in general.
    compile_pipeline : Which steps fold.

    Notes
    -----
    Mean pooling, a linear map :math:`A, b` and a linear classifier :math:`w, c` decide by

    .. math::

        w (A \frac{1}{n} \sum_t v_t + b) + c = \frac{1}{n} \sum_t (w A v_t + w b + c)

    The bracket is the decision for a text of this word alone, and the share of a word that comes k times is
    k / n of it; by idf weights, its part of their sum. With `spread=False` the share is :math:`k w A v / n`
    and the constant :math:`w b + c`: the intercept, and what centring takes off. Other models, such as TF-IDF
    or a DistilledEmbedder, add words up, and the constant is always apart. Shares and constant are the
    decision, within the rounding of float32.

    The number n of known words belongs to the text as a whole, as do the sum of idf weights, the length of a
    TF-IDF row and that which a Normalizer divides by: shares are exact given these, and a word that is taken
    out of the text changes them too. Where a classifier takes squares (naive Bayes with other variances in
    each class), a word's share in a value's square is its share in the value, times the value: its Shapley
    value.

    For two classes the decision for the one is minus that for the other. Likelihoods (naive Bayes, nearest
    centroid) are compared: of two classes with the other's, of more with the mean of all. Calibration, label
    shift and thresholds come after the decision that is explained; of several members (co-training, voting,
    calibration by folds) that is the mean of their decisions, while the model averages probabilities. The
    probabilities are always the model's own.

    Examples
    --------
    >>> from embtransfer import DomainCentering, WordEmbedder, compile_pipeline, explain
    >>> from embtransfer import make_classifier, make_transfer_pipeline
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> model = compile_pipeline(pipeline.fit(films.data, films.target, X_target=pans.data))
    >>> explanation = explain(model, "A lovely pan, but a useless lid.")
    >>> explanation.table["word"].tolist()[:2]
    ['lovely', 'lid']
    >>> total = explanation.constant + explanation.table["share"].sum()
    >>> bool(abs(total - explanation.decision) < 1e-5)
    True
    """
    chunk = _one_text(text)
    model = folded(model)
    program, head, classes = model._program, model._head, explained_classes(model)
    chunk = program.cleaned(chunk)
    scores = np.asarray(program.scores(chunk), np.float64)
    predicted = _heads.predict(head, scores)[0]
    matrix = decision_matrix(head, program.width, len(classes))
    reading = Reading(chunk, program.vocabularies)
    constant, shares = program_shares(program, reading, spread)
    shares = shares @ matrix
    decisions = (scores @ matrix)[0]
    probabilities = _heads.proba(head, scores)[0] if _heads.has_proba(head) else None
    others = np.array(decisions if probabilities is None else probabilities)
    if label is not None:
        chosen = _number_of(label, classes)
    elif head["kind"] in ("labels", "number"):
        chosen = int(others.argmax())
    else:
        chosen = int(predicted)
    others[chosen] = -np.inf
    rival = int(others.argmax())
    rivals = head["kind"] not in ("labels", "number")
    contrast = shares[:, chosen] - shares[:, rival] if rivals and len(classes) > 2 else None
    words, spans = _words(reading, shares[:, chosen], contrast)
    if head["kind"] == "labels":
        predicted = classes[predicted == 1].tolist()
    elif rivals:
        predicted = classes[predicted]
    return Explanation(
        text=reading.text,
        label=classes[chosen],
        predicted=predicted,
        runner_up=classes[rival] if rivals else None,
        labels=classes,
        probabilities=probabilities,
        decision=float(decisions[chosen]),
        constant=float((constant @ matrix)[chosen]),
        words=words,
        unknown_words=[_row(word, places) for word, places in reading.unknown.items()],
        spans=spans,
    )


def explained_classes(model):
    """The classes or labels that a compiled model decides; "number" where it predicts one."""
    return model.classes_ if len(model.classes_) else np.array(["number"])


def folded(model) -> CompiledPipeline:
    """The model itself if it is compiled, otherwise compiled now."""
    if isinstance(model, CompiledPipeline):
        return model
    from ..folding import CannotFold, compile_pipeline

    try:
        return compile_pipeline(model)
    except CannotFold as error:
        raise CannotFold(f"This model cannot be explained word by word. {error}") from None


def _one_text(text):
    """One text as a chunk of one."""
    missing = text is None or is_missing(text)
    if not isinstance(text, str) and not missing:
        what = f"a {type(text).__name__} of {len(text)}" if hasattr(text, "__len__") else f"{text!r:.80}"
        raise TypeError(
            f"Got {what} as text. Expected one text, a str. For several loop over them: "
            "[explain(model, text) for text in texts]."
        )
    return next(iter_text_chunks(check_texts([None if missing else text])))[1]


def _number_of(label, classes):
    for number, one in enumerate(classes.tolist()):
        if one == label:
            return number
    some = first_few(classes.tolist(), 10, repr)
    raise ValueError(f"Got label={label!r}. Expected one of the model's classes: {some}.")


def _words(reading, shares, contrast):
    """The known words, those of the largest share first, and the places of each."""
    spans = [list(places) for places in reading.occurrences]
    # n-grams that only lead to longer ones have no weight of their own
    weighs = shares if contrast is None else (shares != 0) | (contrast != 0)
    used = [i for i, places in enumerate(spans) if len(places[0]) == 1 or weighs[i]]
    order = sorted(used, key=lambda i: -abs(shares[i]))
    terms, rows = list(reading.terms), []
    for i in order:
        more = {"share": float(shares[i])} | ({} if contrast is None else {"contrast": float(contrast[i])})
        rows.append(_row(terms[i], [(place[0][0], place[-1][1]) for place in spans[i]], **more))
    return rows, [spans[i] for i in order]


def _row(word, positions, **more):
    return {"word": word, "count": len(positions), **more, "positions": positions}
