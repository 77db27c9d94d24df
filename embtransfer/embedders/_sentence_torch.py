"""Sentence models that sentence-transformers and torch run."""

import threading
from contextlib import contextmanager
from logging import ERROR, getLogger
from pathlib import Path

import numpy as np

from ._sentence_files import DOWNLOAD, NEEDS_EXTRA, hub_name, not_on_hub, one_line, snapshot
from ._sentence_lengths import batches, check_max_length


class Model:
    """A loaded SentenceTransformer. Threads take turns: tokenizers and `max_seq_length` have state."""

    def __init__(self, transformer):
        self.transformer = transformer
        self.lock = threading.RLock()
        self.own_max_length = transformer.max_seq_length
        self.cuts = self.own_max_length not in (None, np.inf)
        name = "get_embedding_dimension"  # the other name is the older one
        dimension = getattr(transformer, name, transformer.get_sentence_embedding_dimension)()
        self.n_dimensions = dimension or transformer.encode([""], show_progress_bar=False).shape[1]
        self.prompts = getattr(transformer, "prompts", None) or {}
        self.prompt = self.prompts.get(getattr(transformer, "default_prompt_name", None))
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
        n_special = self.tokenizer.num_special_tokens_to_add() if self.tokenizer is not None else 0
        n_positions = getattr(config, "max_position_embeddings", None)
        check_max_length(max_length, n_special, n_positions, getattr(config, "model_type", ""))

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
        bounded = self.transformer.device.type == "cpu" and hasattr(self.transformer[0], "auto_model")
        for batch in batches(lengths, batch_size, bounded):
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


def check_installed():
    try:
        import sentence_transformers  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDS_EXTRA) from error


def download(name, device):
    """The folder of a model of the hub, and the model, which is loaded with that."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    try:  # once: without a network each file of the model would be asked for six times, for over a minute
        HfApi().model_info(hub_name(name), timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except HfHubHTTPError:  # the hub answers: what it says comes again, or passes
        pass
    except Exception as error:
        raise not_on_hub(name, error) from None
    model = open_model(name, hub_name(name), device)
    folder = snapshot(name, "torch")
    if folder is None:
        raise OSError(f"Got model={name!r}: it was downloaded, but its files are not found. {DOWNLOAD}")
    return folder, model


def open_model(name, source, device) -> Model:
    """Load without the progress bars of transformers, and with a line of error instead of a page."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    hub = getLogger("huggingface_hub")  # it tells of every try
    shown, level = logging.is_progress_bar_enabled(), hub.level
    hub.setLevel(ERROR)
    logging.disable_progress_bar()
    try:
        return Model(SentenceTransformer(str(source), device=device))
    except Exception as error:
        # what a hub, a damaged file or a device raises is not documented
        if Path(source).is_dir():
            raise OSError(f"Got model={str(name)!r}: {source} cannot be loaded ({one_line(error)})") from None
        raise not_on_hub(name, error) from None
    finally:
        hub.setLevel(level)
        if shown:
            logging.enable_progress_bar()
