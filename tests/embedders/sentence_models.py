"""Small sentence models, made at test time."""

import tempfile
import warnings
from functools import lru_cache

TEXTS = [
    "A fine pan.",
    "",
    "Boring film! " * 3,
    "naïve ÉTÉ, straße, 中文, \U0001f600\u00ad",
    "  spaces\n and lines\t",
    "x" * 300,
    "a long review of a long film " * 200,
    *(f"text {i} " + "word " * i for i in range(0, 30, 3)),
]
REVIEWS = [
    "Great pan! It lasts.  I would buy it again",
    "",
    None,
    "One sentence only.",
    "  Title\nWhy?! No idea... It broke after 3.5 days \r\n\n It lasts.",
    "???",
    "好的电影。我喜欢！ 你呢？",
    "Great pan! " * 300,  # longer than the model reads
]
SOURCE = [f"{word} pan number {i % 7}" for i, word in enumerate(["good", "bad", "fine"] * 14)]
LABELS = [text.startswith("bad") for text in SOURCE]
TARGET = [f"{word} film {i}" for i, word in enumerate(["good", "poor"] * 10)]


def transformer_at(folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


@lru_cache(maxsize=1)
def _bert(minilm):
    """A small BERT of random weights with the tokenizer of MiniLM."""
    import torch
    from sentence_transformers.models import Transformer
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    with tempfile.TemporaryDirectory() as folder:
        BertModel(BertConfig(vocab_size=30522, max_position_embeddings=64, **sizes)).save_pretrained(folder)
        minilm.tokenizer.save_pretrained(folder)
        return Transformer(folder, max_seq_length=40)


def save_tiny(folder, minilm, pooling="mean", n_out=None, include_prompt=True, more=(), prompts=None):
    """A model of the small BERT, saved as a folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Pooling

    modules = [_bert(minilm), Pooling(16, pooling_mode=pooling, include_prompt=include_prompt)]
    if n_out:
        modules.append(Dense(16, n_out))
    model = SentenceTransformer(modules=[*modules, *more], device="cpu", **(prompts or {}))
    model.save(str(folder / "model"))
    return folder / "model"


def add_onnx(folder, name="onnx/model.onnx"):
    """Export the network of a folder beside it."""
    import torch
    from transformers import AutoModel

    class Hidden(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = AutoModel.from_pretrained(folder).eval()

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.network(input_ids, attention_mask, token_type_ids).last_hidden_state

    ids = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    (folder / name).parent.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one; the newer one needs onnxscript
        torch.onnx.export(
            Hidden(),
            (ids, (ids > 0).long(), torch.zeros_like(ids)),
            folder / name,
            input_names=inputs,
            output_names=["last_hidden_state"],
            dynamic_axes={one: {0: "batch", 1: "sequence"} for one in [*inputs, "last_hidden_state"]},
            opset_version=17,
            dynamo=False,
        )
    return folder
