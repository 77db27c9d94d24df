"""Sentence models that are loaded, shared in the process."""

import threading
from collections import OrderedDict

from . import _sentence_onnx, _sentence_torch
from ._sentence_files import identity, locate

_N_KEPT = 2  # loaded models
_models: OrderedDict[tuple, _sentence_torch.Model | _sentence_onnx.Model] = OrderedDict()  # the latest last
_models_lock = threading.Lock()


def load(name, backend: str, device: str | None) -> _sentence_torch.Model | _sentence_onnx.Model:
    """The model of that name; one that is loaded already if its files are still the same.

    Raises
    ------
    ImportError
        If what the backend needs is not installed.
    OSError
        If there is no such model, or it cannot be loaded.
    ValueError
        If the backend does not run such a model, or not there.
    """
    runner = _sentence_onnx if backend == "onnx" else _sentence_torch
    runner.check_installed()
    with _models_lock:
        folder, model = locate(name, backend), None
        if folder is None:
            folder, model = runner.download(name, device)
        key = identity(folder, backend), backend, device
        if key not in _models:
            model = model or runner.open_model(name, folder, device)
            model.identity = key[0]
            _models[key] = model
        _models.move_to_end(key)
        while len(_models) > _N_KEPT:
            _models.popitem(last=False)
        return _models[key]
