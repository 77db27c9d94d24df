"""Save and load fitted pipelines as folders, without pickle: loading runs no code from the file."""

import io
import json
import platform
import warnings
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from ._version import __version__
from .system._folders import check_file, check_folder, checksum, new_folder
from .system._unpacking import check_packing, check_unpacked
from .word_vectors import embedded_tables

_FORMAT = "embtransfer-pipeline"
_FORMAT_VERSION = 1
_CONFIG, _STATE = "config.json", "pipeline.skops"
_SCHEMA = "schema.json"  # of a skops file, beside the files of its arrays
_PACKAGES = ("numpy", "scipy", "scikit-learn", "skops")

# what a file may hold beside the safe types of scikit-learn, numpy and scipy that skops lists
TRUSTED = (
    "embtransfer.CORAL",
    "embtransfer.CORALClassifier",
    "embtransfer.CoTrainingClassifier",
    "embtransfer.DistilledEmbedder",
    "embtransfer.DomainCentering",
    "embtransfer.FeatureAugmentationClassifier",
    "embtransfer.GeodesicFlowKernel",
    "embtransfer.ImportanceWeightedClassifier",
    "embtransfer.JointDistributionAdaptation",
    "embtransfer.LabelShiftClassifier",
    "embtransfer.LengthScaling",
    "embtransfer.LinearOT",
    "embtransfer.MSDA",
    "embtransfer.NGramVectorizer",
    "embtransfer.NaiveBayesLogisticRegression",
    "embtransfer.NoAdaptation",
    "embtransfer.OptimalTransport",
    "embtransfer.PooledClassifier",
    "embtransfer.SCL",
    "embtransfer.SelfTrainingClassifier",
    "embtransfer.SentenceEmbedder",
    "embtransfer.StackedDomains",
    "embtransfer.StaticEmbedder",
    "embtransfer.SubspaceAlignment",
    "embtransfer.TCA",
    "embtransfer.TransferPipeline",
    "embtransfer.WordEmbedder",
    "embtransfer.WordVectors",
    "embtransfer.adapters.AffineMap",
    "embtransfer.adapters.DenoisingLayers",
    "embtransfer.adapters.DisplacementMap",
    "embtransfer.adapters.Identity",
    "embtransfer.adapters.KernelMap",
    "embtransfer.adapters.LinearMap",
    "embtransfer.adapters.Moments",
    "embtransfer.adapters.PivotProjection",
    "embtransfer.adapters.RBFKernel",
    "embtransfer.adapters.ScaleMap",
    "embtransfer.embedders.NGrams",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
)
# where a file finds our types, wherever their modules lie now
_PUBLIC_MODULES = {
    name.rpartition(".")[2]: name.rpartition(".")[0] for name in TRUSTED if name.startswith("embtransfer.")
}


def save_pipeline(pipeline, path, *, overwrite: bool = False, embed_vectors: bool = False) -> Path:
    """Save a fitted pipeline as a folder.

    The folder holds config.json (versions and checksums) and pipeline.skops (estimators and arrays), the same
    bytes whenever the same pipeline is saved. It appears under its name when complete. Word vectors that
    `WordVectors.load` read go by their checksum, as the bundled ones do: another machine needs the same
    table. Tables made from arrays are in the folder. Sentence models go by their name and checksum.

    Parameters
    ----------
    pipeline : fitted estimator
        Of a search (TransferSearch, GridSearchCV) the best estimator is saved.
    path : str or path
        The folder to make.
    overwrite : bool, default=False
        Whether a model that is there already is replaced. Any other folder or file never is.
    embed_vectors : bool, default=False
        Whether the folder holds all word vectors itself.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If something is there already.
    OSError
        If it cannot be written, as when the disk is full; what was there stays.
    NotFittedError
        If the pipeline is not fitted.

    Warns
    -----
    UserWarning
        If the pipeline holds types that `load_pipeline` will only take with `trusted`.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from embtransfer import (WordEmbedder, load_pipeline, make_classifier, make_transfer_pipeline,
    ...                          save_pipeline)
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    >>> folder = save_pipeline(pipeline.fit(["good pan", "bad pan"], ["+", "-"]), mkdtemp() + "/model")
    >>> load_pipeline(folder).predict(["good pan"])
    array(['+'], dtype='<U1')
    """
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(pipeline)
    pipeline = getattr(pipeline, "best_estimator_", pipeline)
    path = Path(path)
    check_destination(path, overwrite)
    with new_folder(path, replace=overwrite) as folder:
        with embedded_tables() if embed_vectors else nullcontext():
            _write_state(pipeline, folder / _STATE)
        foreign = _foreign_types(folder / _STATE, TRUSTED, folder / _STATE)
        if foreign:
            warnings.warn(
                f"The pipeline holds types of other packages. To load it pass trusted={foreign}.",
                UserWarning,
                stacklevel=2,
            )
        config = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "versions": {
                "embtransfer": __version__,
                "python": platform.python_version(),
                **{package: version(package) for package in _PACKAGES},
            },
            "sha256": {_STATE: checksum(folder / _STATE)},
        }
        (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    return path


def load_pipeline(path, *, trusted=()):
    """Load a pipeline that `save_pipeline` saved.

    Parameters
    ----------
    path : str or path
        The folder.
    trusted : sequence of str, default=()
        Names of further types, such as "mypackage.MyStep", that the file may hold. Trust a type only if
        you know where the file comes from: its module is imported.

    Returns
    -------
    estimator
        Predicts what the saved one did, to the bit.

    Raises
    ------
    FileNotFoundError
        If there is no model at the path.
    ValueError
        If a file is no model of ours, was changed or damaged, or holds a type that is not trusted; the
        message names the file and the type.

    Warns
    -----
    UserWarning
        If the model was made with another version of scikit-learn, or names a `memory` folder, which is
        left out.

    Examples
    --------
    >>> from embtransfer import load_pipeline
    >>> load_pipeline("no/such/folder")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no model folder no/such/folder.
    """
    import skops.io

    path = Path(path)
    check_folder(path)
    config = _read_config(path)
    state = path / _STATE
    check_file(state, config["sha256"].get(_STATE), _CONFIG)
    trusted = [*TRUSTED, *trusted]
    _check_sizes(state)
    file = _with_public_names(state)
    foreign = _foreign_types(file, trusted, state)
    if foreign:
        raise ValueError(
            f"{state} holds types that are not trusted: {', '.join(foreign)}. If you know where the file "
            f"comes from, pass trusted={foreign}."
        )
    made_with = config["versions"].get("scikit-learn")
    if made_with != version("scikit-learn"):
        warnings.warn(
            f"{path} was made with scikit-learn {made_with}; this is {version('scikit-learn')}. "
            "Its predictions may differ.",
            UserWarning,
            stacklevel=2,
        )
    try:
        pipeline = skops.io.load(file, trusted=trusted)
        parameters = pipeline.get_params() if hasattr(pipeline, "get_params") else {}
    except Exception as error:
        raise ValueError(f"{state} cannot be loaded: {error}") from error
    return _without_memory(pipeline, parameters, path)


def check_destination(path: Path, overwrite: bool) -> None:
    """Refuse, with FileExistsError, a name under which something is that is not to be replaced."""
    if not path.exists():
        return
    if not _is_model(path):
        hint = "It is no model of ours: it stays."
    elif {file.name for file in path.iterdir()} > {_CONFIG, _STATE}:
        hint = "It holds other files beside the model: it stays."
    else:
        hint = "" if overwrite else "Pass overwrite=True (on the command line --overwrite) to replace it."
    if hint:
        raise FileExistsError(f"{path} exists already. {hint} Choose another name otherwise.")


def _write_state(pipeline, path):
    """Write what skops makes, less what differs every time: addresses in memory, random names, the time."""
    import skops.io

    made = io.BytesIO()
    skops.io.dump(pipeline, made)
    with ZipFile(made) as old, ZipFile(path, "w") as new:
        schema = json.loads(old.read(_SCHEMA))
        numbers, names = {}, {}
        _renumber(schema, numbers, names, set(old.namelist()))
        for name, renamed in names.items():
            new.writestr(ZipInfo(renamed), old.read(name))
        new.writestr(ZipInfo(_SCHEMA), json.dumps(schema))


def _renumber(node, numbers, names, files):
    """Number objects and files in the order in which they come, after sorting what has none."""
    if isinstance(node, dict):
        _name_publicly(node)
        if type(node.get("__id__")) is int:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if isinstance(node.get("file"), str) and node["file"] in files:
            ending = node["file"].rpartition(".")[2]
            node["file"] = names.setdefault(node["file"], f"{len(names)}.{ending}")
        if node.get("__loader__") == "SetNode":  # whose order is that of the seed of hashes
            node["content"].sort(key=lambda child: str(child.get("content")))
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _renumber(child, numbers, names, files)


def _name_publicly(node):
    """Let a node that names one of our types by the module that it lies in, or lay in, name its public path.

    Returns whether it did.
    """
    module, public = node.get("__module__"), _PUBLIC_MODULES.get(str(node.get("__class__")))
    private = public is not None and str(module).startswith("embtransfer.") and module != public
    if private:
        node["__module__"] = public
    return private


def _with_public_names(state):
    """The file, or, where an earlier version named private modules in it, a copy with public names."""
    with ZipFile(state) as old:
        schema = json.loads(old.read(_SCHEMA))
        renamed = [_name_publicly(node) for node in _nodes(schema)]
        if not any(renamed):
            return state
        made = io.BytesIO()
        with ZipFile(made, "w") as new:
            for info in old.infolist():
                new.writestr(info, json.dumps(schema) if info.filename == _SCHEMA else old.read(info))
    return made


def _nodes(schema):
    """All dicts of a schema."""
    nodes = [schema]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            yield node
        nodes += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _read_config(path):
    file = path / _CONFIG
    if not file.is_file():
        raise ValueError(f"{path} holds no {_CONFIG}. Expected a folder that embtransfer saved.")
    try:
        config = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise ValueError(
            f"{file} is no {_FORMAT} configuration. Expected a folder of embtransfer fit or save_pipeline. A "
            "compiled model is loaded by CompiledPipeline.load."
        )
    if config.get("format_version") != _FORMAT_VERSION:
        raise ValueError(
            f"{file} has format version {config.get('format_version')!r}; this embtransfer reads "
            f"{_FORMAT_VERSION}. Install the embtransfer that made it: {config.get('versions')}."
        )
    if not isinstance(config.get("sha256"), dict) or not isinstance(config.get("versions"), dict):
        raise ValueError(f"{file} is damaged: it lacks checksums or versions.")
    return config


def _check_sizes(state):
    """Refuse a state that is small on disk and large in memory: packed, or with an array named many times."""
    try:
        with ZipFile(state) as archive:
            members, size = archive.infolist(), state.stat().st_size
            check_unpacked(sum(info.file_size for info in members), size, state)
            for info in members:
                check_packing(archive.fp, info, state)
            size_of = {info.filename: _size_in_memory(archive, info) for info in members}
            schema = json.loads(archive.read(_SCHEMA))
    except Exception as error:  # what a damaged archive raises is not documented
        raise ValueError(f"{state} is damaged: {error}") from error
    read = set()  # skops reads a file once for each object that names it
    for node in _nodes(schema):
        if isinstance(node.get("file"), str):
            read.add((str(node.get("__id__", len(read))), node["file"]))
    check_unpacked(sum(size_of.values()) + sum(size_of.get(file, 0) for _, file in read), size, state)


def _size_in_memory(archive, info):
    """Of a member, and of what is in it where it is an archive, as sparse matrices are."""
    with archive.open(info) as file:
        if file.read(4) != b"PK\x03\x04":
            return info.file_size
        file.seek(0)
        with ZipFile(file) as parts:
            for part in parts.infolist():
                check_packing(file, part, info.filename)
            return info.file_size + sum(part.file_size for part in parts.infolist())


def _without_memory(pipeline, parameters, path):
    """The pipeline without the folders in which scikit-learn keeps, and unpickles, fitted steps."""
    named = [name for name in parameters if name.split("__")[-1] == "memory" and parameters[name] is not None]
    if named:
        warnings.warn(
            f"{path} names folders of pickles ({', '.join(named)}), which fitting would open: set to None. "
            "Set them again if you want them.",
            UserWarning,
            stacklevel=3,
        )
        pipeline.set_params(**dict.fromkeys(named))
    return pipeline


def _is_model(path):
    try:
        return bool(_read_config(path))
    except ValueError:
        return False


def _foreign_types(file, trusted, state):
    import skops.io

    try:
        return sorted(set(skops.io.get_untrusted_types(file=file)) - set(trusted))
    except Exception as error:  # what a damaged file raises is not documented
        raise ValueError(f"{state} is damaged: {error}") from error
