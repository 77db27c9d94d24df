"""`embtransfer demo`: what adapting does, told on bundled vectors and texts."""

import math
from textwrap import shorten

_WIDTH = 40  # of the longest bar
_SHORT = 95  # letters of a text that is shown


def demo():
    """Carry a classifier from film reviews over to kitchenware reviews, with bundled vectors and texts."""
    from ..adapters import DomainCentering, NoAdaptation
    from ..datasets import load_demo_reviews
    from ..embedders import NGramVectorizer, WordEmbedder

    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    labels, wanted = ([part.target_names[one] for one in part.target] for part in (films, pans))
    n = len(pans.data)
    print(f"1. Source: {len(films.data)} film reviews with labels, such as")
    for label in reversed(films.target_names):
        print(f"     {label}  {_shown(films.data[labels.index(label)])}")
    print(f"2. Target: {n} kitchenware reviews, such as\n     {_shown(pans.data[0])}")
    print("   Their labels only score; each half is scored by a model that saw the other half.")

    def bar(name, given):
        share = sum(map(str.__eq__, given, wanted)) / n
        print(f"     {name:<25} {100 * share:5.1f} %  {'#' * round(_WIDTH * share)}", flush=True)

    def fitted(*steps):
        return _by_halves(steps, films.data, labels, pans.data)

    print("3. Unadapted, trained on the films alone. Right on the kitchenware:")
    bar("the majority class", [max(films.target_names, key=wanted.count)] * n)
    bar("TF-IDF of words", fitted(NGramVectorizer())[1])
    _, before = fitted(WordEmbedder(), NoAdaptation())
    bar("vectors of words (GloVe)", before)
    most = max(films.target_names, key=before.count)
    print(f"   It calls {100 * before.count(most) / n:.0f} % of the kitchenware reviews {most}.")
    print("4. Adapted: each domain less its own mean, no label of the target. Right on the kitchenware:")
    models, after = fitted(WordEmbedder(), DomainCentering())
    bar("vectors of words, centred", after)
    changed = [row for row in range(n) if before[row] != after[row]]
    set_right = [row for row in changed if after[row] == wanted[row]]
    print(f"5. Verdict: {_verdict(len(set_right), len(changed) - len(set_right), n)}")
    if set_right:
        _explain_surest(models, pans.data, set_right, before)
    print("7. Next, without labels of the target: choose a model, save it, explain what it says.")
    print("     embtransfer choose --dataset demo --source films --target kitchenware -o model")
    print('     embtransfer explain model "A lovely, well balanced knife."')


def _by_halves(steps, X, y, X_target):
    """Models that saw one half of the target, every other text, and the labels that they give the others."""
    from ..classifiers import make_classifier
    from ..pipeline import make_transfer_pipeline

    models, given = [], [""] * len(X_target)
    for half in (0, 1):
        model = make_transfer_pipeline(*steps, make_classifier("logistic"))
        models.append(model.fit(X, y, X_target=X_target[1 - half :: 2]))
        given[half::2] = model.predict(X_target[half::2]).tolist()
    return models, given


def _explain_surest(models, texts, rows, before):
    """Of these rows, the one that the models are surest of, and the words that decide."""
    from ..explaining import explain

    row = max(rows, key=lambda row: models[row % 2].predict_proba([texts[row]]).max())
    print(f'6. One that it sets right: "{texts[row]}"')
    print(f"   Unadapted it was {before[row]}. Adapted, and the words that decide:")
    for line in explain(models[row % 2], texts[row]).to_text(5).splitlines():
        print(f"     {line}")


def _shown(text):
    return f'"{shorten(text, _SHORT, placeholder=" ...")}"'


def _verdict(n_right, n_spoilt, n):
    """What adapting is worth, by the texts that it sets right and those that it spoils."""
    gain = (n_right - n_spoilt) / n
    reach = 1.96 * math.sqrt((n_right + n_spoilt) / n - gain**2) / math.sqrt(n)
    helps = "makes no difference that so few texts could show"
    if abs(gain) > reach:
        helps = "helps" if gain > 0 else "hurts"
    return (
        f"adapting {helps}. It sets {n_right} of {n} reviews right and spoils {n_spoilt}:\n"
        f"   {100 * gain:+.1f} points of accuracy (95 % interval {100 * (gain - reach):+.1f} to "
        f"{100 * (gain + reach):+.1f})."
    )
