"""Sentence models: loading them, and encoding in batches that suit a CPU."""

import threading
from collections import OrderedDict
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import distributions
from logging import ERROR, getLogger
from pathlib import Path

import numpy as np

from ._sentence_files import NEEDS_EXTRA, hub_name, identity, locate, snapshot

_TOKENS = 1024  # with padding, a batch on a CPU: its activations stay in the processor's cache
_OFFSET_POSITIONS = {"camembert", "mpnet", "roberta", "xlm-roberta"}  # they use the first two for padding
_N_KEPT = 2  # loaded models
_DOWNLOAD = "Check the name and the network, or download the model and pass its folder."


class Model:
    """A loaded SentenceTransformer. Threads take turns: tokenizers and `max_seq_length` have state."""

    def __init__(self, transformer, identity):
        self.transformer, self.identity = transformer, identity
        self.lock = threading.RLock()
        self.own_max_length = transformer.max_seq_length
        self.cuts = self.own_max_length not in (None, np.inf)
        name = "get_embedding_dimension"  # the other name is the older one
        dimension = getattr(transformer, name, transformer.get_sentence_embedding_dimension)()
        self.n_dimensions = dimension or transformer.encode([""], show_progress_bar=False).shape[1]
        self.tokenizer = getattr(transformer, "tokenizer", None)
        if not getattr(self.tokenizer, "is_fast", False):
            self.tokenizer = None
        self._is_plain = {}  # by prompt and max_length

    def check_max_length(self, max_length):
        if max_length is None:
            return
        if not self.cuts:
            raise ValueError(f"Got max_length={max_length}, but this model cuts no texts. Pass None.")
        config = getattr(getattr(self.transformer[0], "auto_model", None), "config", None)
        limit = getattr(config, "max_position_embeddings", None) or np.inf
        if getattr(config, "model_type", "") in _OFFSET_POSITIONS:
            limit -= 2
        least = 1 + (self.tokenizer.num_special_tokens_to_add() if self.tokenizer is not None else 0)
        if not least <= max_length <= limit:
            raise ValueError(f"Got max_length={max_length}. Expected {least} to {limit:,.0f} for this model.")

    def encode(self, texts, prompt, max_length, batch_size, done):
        """Vectors of texts, float32 (n, d), in batches of texts of about the same number of tokens."""
        import torch

        out = np.empty((len(texts), self.n_dimensions), np.float32)
        with self._limited_to(max_length):
            plain = self._tokenizes_plainly(prompt, max_length)
            tokens = self._tokenize([(prompt or "") + text for text in texts]) if self.tokenizer else {}
        if tokens:
            lengths = np.fromiter(map(len, tokens["input_ids"]), int, len(texts))
        else:
            lengths = np.array([len(text) // 4 + 2 for text in texts])  # a guess
        for batch in self._batches(lengths, batch_size):
            with self._limited_to(max_length), torch.inference_mode():
                if plain:
                    features = self._pad({name: [part[i] for i in batch] for name, part in tokens.items()})
                    vectors = self.transformer(features)["sentence_embedding"].float().cpu().numpy()
                else:
                    some = [texts[i] for i in batch]
                    vectors = self.transformer.encode(
                        some, prompt=prompt, batch_size=len(some), show_progress_bar=False
                    )
            out[batch] = vectors
            done(len(batch))
        return out

    def _batches(self, lengths, batch_size):
        """Yield positions, longest texts first: what needs most memory fails at once, if it does."""
        bounded = self.transformer.device.type == "cpu" and hasattr(self.transformer[0], "auto_model")
        order, start = np.argsort(-lengths, kind="stable"), 0
        while start < len(order):
            n_fitting = _TOKENS // max(lengths[order[start]], 1) if bounded else batch_size
            end = start + max(1, min(batch_size, n_fitting))
            yield order[start:end]
            start = end

    def _tokenizes_plainly(self, prompt, max_length):
        """Whether the model's own preprocessing is its fast tokenizer's work and nothing else.

        It may also lower-case or strip texts, or count the prompt's tokens for the pooling; then, or if the
        model cuts its vectors, batches go through its `encode`. Found out by trying.
        """
        setting = prompt, max_length
        if setting not in self._is_plain:
            self._is_plain[setting] = (
                self.tokenizer is not None
                and getattr(self.transformer, "truncate_dim", None) is None
                and (prompt is not None or getattr(self.transformer, "default_prompt_name", None) is None)
                and self._same_features(prompt)
            )
        return self._is_plain[setting]

    def _same_features(self, prompt):
        import torch

        probes = [
            "",
            "  Two Words\n",
            "\u00c9t\u00e9, \u00ad stra\u00dfe\u3000\u4e2d \U0001f600",
            "long " * 700,
        ]
        try:
            theirs = dict(self.transformer.preprocess(probes, prompt=prompt))
        except (AttributeError, TypeError):  # an older sentence-transformers
            return False
        ours = self._pad(self._tokenize([(prompt or "") + text for text in probes]))
        theirs.pop("modality", None)
        if all(getattr(module, "include_prompt", True) for module in self.transformer):
            theirs.pop("prompt_length", None)
        return ours.keys() == theirs.keys() and all(
            torch.equal(theirs[name].to(part.device), part) for name, part in ours.items()
        )

    def _tokenize(self, texts):
        """Name -> a list of numbers a text, without padding; cut as the model cuts."""
        limit, tokens = self.transformer.max_seq_length, {}
        for start in range(0, len(texts), 1000):
            some = texts[start : start + 1000]
            for name, part in self.tokenizer(some, truncation=bool(limit), max_length=limit).items():
                tokens.setdefault(name, []).extend(part)
        return tokens

    def _pad(self, tokens):
        features = self.tokenizer.pad(tokens, return_tensors="pt")
        return {name: part.to(self.transformer.device) for name, part in features.items()}

    @contextmanager
    def _limited_to(self, max_length):
        with self.lock:
            if self.cuts:
                self.transformer.max_seq_length = max_length or self.own_max_length
            yield


_models: OrderedDict[tuple, Model] = OrderedDict()  # the latest last
_models_lock = threading.Lock()


def load(name, backend: str, device: str | None) -> Model:
    """The model of that name; one that is loaded already if its files are still the same.

    Raises
    ------
    ImportError
        If sentence-transformers or the backend is not installed.
    OSError
        If there is no such model, or it cannot be loaded.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ImportError(NEEDS_EXTRA) from error
    with _models_lock:
        folder, transformer = locate(name), None
        if folder is None:
            transformer = _quietly(SentenceTransformer, name, hub_name(name), backend, device)
            folder = snapshot(name)
            if folder is None:
                raise OSError(
                    f"Got model={name!r}: it was downloaded, but its files are not found. {_DOWNLOAD}"
                )
        key = identity(folder, backend), backend, device
        if key not in _models:
            transformer = transformer or _quietly(SentenceTransformer, name, str(folder), backend, device)
            _models[key] = Model(transformer, key[0])
        _models.move_to_end(key)
        while len(_models) > _N_KEPT:
            _models.popitem(last=False)
        return _models[key]


def _quietly(kind, name, source, backend, device):
    """Load without the progress bars of transformers, and with a line of error instead of a page."""
    from transformers.utils import logging

    hub = getLogger("huggingface_hub")  # it tells of every try
    shown, level = logging.is_progress_bar_enabled(), hub.level
    hub.setLevel(ERROR)
    logging.disable_progress_bar()
    try:
        return kind(source, backend=backend, device=device)
    except Exception as error:
        # what a hub, a damaged file or a device raises is not documented
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"
        if backend == "onnx" and "requires installing" in str(error):
            raise ImportError('backend="onnx" needs: pip install "sentence-transformers[onnx]"') from None
        if Path(source).is_dir():
            raise OSError(f"Got model={str(name)!r}: {source} cannot be loaded ({reason})") from None
        raise OSError(
            f"Got model={name!r}. It is no folder, no installed package with a model, and not among the "
            f"downloaded models, and the hub does not give it ({reason}) {_meant(name)}{_DOWNLOAD}"
        ) from None
    finally:
        hub.setLevel(level)
        if shown:
            logging.enable_progress_bar()


def _meant(name):
    """A hint at an installed package with a model and nearly that name."""
    packages = {package.name for package in distributions() if "sentence-transformers" in _needs(package)}
    close = get_close_matches(str(name).rpartition("/")[2], packages, 1)
    return f"Did you mean the installed {close[0]}? " if close else ""


def _needs(package):
    return " ".join(package.requires or ())
