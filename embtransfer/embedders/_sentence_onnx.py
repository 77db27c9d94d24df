"""Sentence models that onnxruntime runs, as the files of their folder describe them; without torch."""

import json
import os
import threading
from pathlib import Path

import numpy as np

from ..system._safetensors import map_tensors
from ._sentence_files import (
    DOWNLOAD,
    NEEDS_ONNX,
    hub_name,
    not_on_hub,
    one_line,
    onnx_file,
    read_modules,
    snapshot,
)
from ._sentence_lengths import batches, check_max_length

_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_HIDDEN = ("last_hidden_state", "token_embeddings")  # what exporters call the vectors of the tokens
_UNLIMITED = 1_000_000  # tokens; what says more, such as 1e30, means that nothing is cut
_PATTERNS = ["*.json", "*/model.safetensors", "*onnx/model.onnx*"]  # of the hub's files; not torch's weights
_ACTIVATIONS = {"Identity": lambda rows: rows, "Tanh": np.tanh, "ReLU": lambda rows: np.maximum(rows, 0)}


class Model:
    """A tokenizer, a network from tokens to vectors, their pooling, and what comes after it."""

    def __init__(self, folder):
        modules = [(kind.rpartition(".")[2], folder / path) for kind, path in read_modules(folder)]
        kinds = [kind for kind, _ in modules]
        if kinds[:2] != ["Transformer", "Pooling"] or not set(kinds[2:]) <= {"Dense", "Normalize"}:
            raise _unsupported(
                f"the modules {', '.join(kinds) or 'none'}", "Transformer, Pooling, Dense, Normalize"
            )
        (_, first), (_, pooling), *rest = modules
        self._read_tokenizer(first)
        self._read_network(first)
        self.pool, self.counts_prompt = _pooling(pooling)
        self.last = [_dense(path) if kind == "Dense" else _normalized for kind, path in rest]
        config = _read(folder / "config_sentence_transformers.json")
        self.prompts = config.get("prompts") or {}
        self.prompt = self.prompts.get(config.get("default_prompt_name"))
        self.truncate_dim = config.get("truncate_dim")
        self.lock = threading.Lock()  # the tokenizer's limit is its state
        self.n_dimensions = self._vectors(self._tokenize([""]), 0).shape[1]

    def _read_tokenizer(self, folder):
        from tokenizers import Tokenizer, normalizers

        config, network = _read(folder / "sentence_bert_config.json"), _read(folder / "config.json")
        task = config.get("transformer_task", "feature-extraction")
        if task != "feature-extraction":
            raise _unsupported(f"transformer_task={task!r}", "feature-extraction")
        if not (folder / "tokenizer.json").is_file():
            raise _unsupported(f"{folder} without tokenizer.json", "it, as fast tokenizers are saved")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        if config.get("do_lower_case"):
            own = self.tokenizer.normalizer
            lower = [normalizers.Lowercase(), *([own] if own is not None else [])]
            self.tokenizer.normalizer = normalizers.Sequence(lower)
        self.pad_id = network.get("pad_token_id") or 0
        self.model_type, self.n_positions = (
            network.get("model_type", ""),
            network.get("max_position_embeddings"),
        )
        of_tokenizer = _read(folder / "tokenizer_config.json").get("model_max_length")
        limits = [config.get("max_seq_length") or min(of_tokenizer or np.inf, self.n_positions or np.inf)]
        self.own_max_length = next((int(limit) for limit in limits if 0 < limit < _UNLIMITED), None)

    def _read_network(self, folder):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = _n_threads()
        file = onnx_file(folder)
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.inputs = {
            one.name: np.int32 if "int32" in one.type else np.int64 for one in self.session.get_inputs()
        }
        outputs = {one.name: one.shape or [] for one in self.session.get_outputs()}
        if not {"input_ids"} <= self.inputs.keys() <= _INPUTS:
            raise _unsupported(f"{file} with the inputs {', '.join(self.inputs)}", ", ".join(sorted(_INPUTS)))
        of_tokens = [name for name, shape in outputs.items() if len(shape) == 3]
        self.output = next((name for name in (*_HIDDEN, *of_tokens) if name in of_tokens), None)
        if self.output is None:
            raise _unsupported(
                f"{file} with the outputs {', '.join(outputs)}", "last_hidden_state, a vector a token"
            )

    def check_max_length(self, max_length):
        if max_length is not None:
            n_special = self.tokenizer.num_special_tokens_to_add(is_pair=False)
            check_max_length(max_length, n_special, self.n_positions, self.model_type)

    def encode(self, texts, prompt, max_length, batch_size, done):
        """Vectors of texts, float32 (n, d), in batches of texts of about the same number of tokens."""
        out = np.empty((len(texts), self.n_dimensions), np.float32)
        prompt = (self.prompt if prompt is None else prompt) or ""
        with self.lock:
            if limit := max_length or self.own_max_length:
                self.tokenizer.enable_truncation(limit)
            else:
                self.tokenizer.no_truncation()
            n_left_out = 0 if self.counts_prompt or not prompt else self._n_tokens_of(prompt)
            tokens = self._tokenize([prompt + text for text in texts])
        lengths = np.array([len(ids) for ids, _ in tokens], int)
        for batch in batches(lengths, batch_size):
            out[batch] = self._vectors([tokens[i] for i in batch], n_left_out)
            done(len(batch))
        return out

    def _tokenize(self, texts):
        """Numbers and types of the tokens of each text, without padding."""
        return [
            (np.array(one.ids, np.int32), np.array(one.type_ids, np.int32))
            for start in range(0, len(texts), 1000)
            for one in self.tokenizer.encode_batch_fast(texts[start : start + 1000])
        ]

    def _n_tokens_of(self, prompt):
        """With the special token before it, but without the one after it."""
        found = self.tokenizer.encode(prompt)
        return len(found) - bool(found.special_tokens_mask[-1:] == [1])

    def _vectors(self, tokens, n_left_out):
        shape = len(tokens), max(len(ids) for ids, _ in tokens)
        features = {name: np.zeros(shape, np.int64) for name in _INPUTS}
        features["input_ids"] += self.pad_id
        for row, (ids, types) in enumerate(tokens):
            features["input_ids"][row, : len(ids)] = ids
            features["token_type_ids"][row, : len(ids)] = types
            features["attention_mask"][row, : len(ids)] = 1
        given = {name: features[name].astype(dtype, copy=False) for name, dtype in self.inputs.items()}
        (hidden,) = self.session.run([self.output], given)
        features["attention_mask"][:, :n_left_out] = 0
        rows = self.pool(hidden.astype(np.float32, copy=False), features["attention_mask"].astype(np.float32))
        for step in self.last:
            rows = step(rows)
        return rows[:, : self.truncate_dim]


def check_installed():
    try:
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDS_ONNX) from error


def download(name, device):
    """The folder of a model of the hub; None, as it is not yet loaded."""
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(hub_name(name), allow_patterns=_PATTERNS)
    except Exception as error:  # what a hub raises is not documented
        raise not_on_hub(name, error) from None
    folder = snapshot(name, "onnx")
    if folder is None:
        raise OSError(f"Got model={name!r}, which has no onnx/model.onnx on the hub. {DOWNLOAD}")
    return folder, None


def open_model(name, folder: Path, device) -> Model:
    if device not in ("cpu", None):
        raise ValueError(f"Got device={device!r}, but backend='onnx' runs on the processor. Expected 'cpu'.")
    try:
        return Model(folder)
    except (ValueError, OSError):  # of this file, which say what is the matter
        raise
    except Exception as error:  # tokenizers and onnxruntime raise types of their own
        raise OSError(f"Got model={str(name)!r}: {folder} cannot be loaded ({one_line(error)})") from None


def _n_threads():
    """Those that OMP_NUM_THREADS says, as torch does; 0 lets onnxruntime choose."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def _read(file):
    """What a file of JSON holds; nothing if it is not there."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Got {file}, which is damaged: {error!r:.200}") from None
    if not isinstance(content, dict):
        raise ValueError(f"Got {file}, which is damaged: expected an object of JSON.")
    return content


def _unsupported(got, expected):
    return ValueError(
        f"Got {got}, which backend='onnx' does not run. Expected {expected}. Use backend='torch', "
        'after pip install "embtransfer[sentence]".'
    )


# ---------------------------------------------------------------- after the network
def _first(hidden, mask):
    return hidden[np.arange(len(hidden)), mask.argmax(1)]


def _last(hidden, mask):
    return hidden[np.arange(len(hidden)), mask.shape[1] - 1 - mask[:, ::-1].argmax(1)]


def _max(hidden, mask):
    return np.where(mask[:, :, None] > 0, hidden, -np.inf).max(1)


def _mean(hidden, mask):
    return np.einsum("ntd,nt->nd", hidden, mask) / np.maximum(mask.sum(1, keepdims=True), 1e-9)


def _mean_sqrt(hidden, mask):
    return _mean(hidden, mask) * np.sqrt(mask.sum(1, keepdims=True))


# in the order in which sentence-transformers puts several side by side; the key was another before its 6.0
_POOLINGS = {
    "cls": ("pooling_mode_cls_token", _first),
    "max": ("pooling_mode_max_tokens", _max),
    "mean": ("pooling_mode_mean_tokens", _mean),
    "mean_sqrt_len_tokens": ("pooling_mode_mean_sqrt_len_tokens", _mean_sqrt),
    "weightedmean": ("pooling_mode_weightedmean_tokens", None),
    "lasttoken": ("pooling_mode_lasttoken", _last),
}


def _pooling(folder):
    """A function from vectors of tokens and their mask to rows; whether tokens of the prompt count."""
    config = _read(folder / "config.json")
    before = [name for name, (key, _) in _POOLINGS.items() if config.get(key)] or ["mean"]
    modes = config.get("pooling_mode", before)
    modes = [modes] if isinstance(modes, str) else list(modes)
    poolings = [_POOLINGS.get(mode, (None, None))[1] for mode in modes]
    if None in poolings:
        known = ", ".join(name for name, (_, pool) in _POOLINGS.items() if pool)
        raise _unsupported(f"the pooling {', '.join(map(str, modes))}", known)

    def pool(hidden, mask):
        return np.concatenate([one(hidden, mask) for one in poolings], axis=1)

    return pool, config.get("include_prompt", True)


def _dense(folder):
    """rows @ weights + bias, and an activation."""
    config = _read(folder / "config.json")
    activation = str(config.get("activation_function", "Tanh")).rpartition(".")[2]
    names = {config.get(key) or "sentence_embedding" for key in ("module_input_name", "module_output_name")}
    if activation not in _ACTIVATIONS or config.get("use_residual") or names != {"sentence_embedding"}:
        raise _unsupported(
            f"{folder.name} with {config}", f"an activation of {', '.join(_ACTIVATIONS)}, no residual"
        )
    if not (folder / "model.safetensors").is_file():
        raise _unsupported(
            f"{folder} without model.safetensors", "it, as newer sentence-transformers save it"
        )
    tensors = map_tensors(folder / "model.safetensors")
    if not {kind for kind, _ in tensors.values()} <= {"F16", "F32", "F64"}:
        raise _unsupported(f"{folder.name} with numbers of other types", "F16, F32 or F64")
    weights = tensors["linear.weight"][1].astype(np.float32).T
    bias = tensors["linear.bias"][1].astype(np.float32) if "linear.bias" in tensors else np.float32(0)
    return lambda rows: _ACTIVATIONS[activation](rows @ weights + bias)


def _normalized(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
