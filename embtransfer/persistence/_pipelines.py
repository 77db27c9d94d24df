"""Save and load fitted pipelines as folders, without pickle: loading runs no code from the file."""

import platform
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

from .._types import Estimator, FilePath
from .._version import __version__
from ..compiled import CompiledPipeline
from ..compiled._files import COMPILED
from ..system import _model_folders
from ..system._folders import new_folder
from ..system._model_folders import CARD, ModelFormat, is_model, read_folder, write_config
from ._hub import HUB, downloaded, uploaded
from ._state import TRUSTED, checked_state, foreign_types, skops_io, write_state

_PIPELINE = ModelFormat(
    "embtransfer-pipeline",
    1,
    what="saved pipeline",
    expected="Expected a folder of embtransfer fit or save_pipeline. A compiled model is loaded by "
    "CompiledPipeline.load.",
    file="pipeline.skops",
    has_card=True,
)
_PACKAGES = ("numpy", "scipy", "scikit-learn", "skops")


def save_pipeline(
    pipeline: Estimator,
    path: FilePath,
    *,
    overwrite: bool = False,
    embed_vectors: bool = False,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Save a fitted pipeline as a folder.

    The folder holds config.json (versions and checksums), pipeline.skops (estimators and arrays) and
    README.md, a model card that loading never reads; the same bytes whenever the same pipeline is saved. The
    front matter of the card, with its licence, is yours to fill in: it stays when the model is replaced. The
    folder appears under its name when complete. Word vectors that `WordVectors.load` read go by their
    checksum, as the bundled ones do: another machine needs the same table. Tables made from arrays are in
    the folder. Sentence models go by their name and checksum.

    Parameters
    ----------
    pipeline : fitted estimator
        Of a search (TransferSearch, GridSearchCV) the best estimator is saved; the card of a TransferSearch
        says which score it expects.
    path : str or path
        The folder to make.
    overwrite : bool, default=False
        Whether a model that is there already is replaced. Any other folder or file never is.
    embed_vectors : bool, default=False
        Whether the folder holds all word vectors itself.
    about : mapping of str to str, default=None
        What the card and config.json say of the training data, such as ``{"source": "320 film reviews"}``,
        and with "score" of what to expect. Without it, of the data, the card has the class shares that the
        model knows.

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

    from ..word_vectors import embedded_tables
    from ._card import front_matter, model_card

    check_is_fitted(pipeline)
    search, pipeline = pipeline, getattr(pipeline, "best_estimator_", pipeline)
    path = Path(path)
    check_destination(path, overwrite)
    with new_folder(path, replace=overwrite) as folder:
        with embedded_tables() if embed_vectors else nullcontext():
            write_state(pipeline, folder / _PIPELINE.file)
        if foreign := types_to_trust(folder):
            warnings.warn(
                f"The pipeline holds types of other packages. To load it pass trusted={foreign} "
                f"(--trusted {','.join(foreign)}).",
                UserWarning,
                stacklevel=2,
            )
        versions = {
            "embtransfer": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        }
        write_config(folder, _PIPELINE, {"versions": versions} | ({"about": dict(about)} if about else {}))
        card = model_card(search, pipeline, about or {}, versions, front_matter(path / CARD))
        (folder / CARD).write_text(card, "utf-8")
    return path


def load_pipeline(path: FilePath, *, trusted: Sequence[str] = (), revision: str | None = None) -> Estimator:
    """Load a pipeline that `save_pipeline` saved.

    Parameters
    ----------
    path : str or path
        The folder; or "hf://owner/name", a model on the Hugging Face hub, which is downloaded once.
    trusted : sequence of str, default=()
        Names of further types, such as "mypackage.MyStep", that the file may hold. Trust a type only if
        you know where the file comes from: its module is imported.
    revision : str, default=None
        Of a model on the hub, which must have one: the commit, of 40 hexadecimal digits.

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
        message names the file and the type. If a model on the hub is not pinned to a commit.
    OSError
        If the hub cannot be reached, or has no such model.

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
    if str(path).startswith(HUB):
        path = downloaded(str(path), revision, _PIPELINE)
    elif revision is not None:
        raise ValueError(f"Got revision={revision!r} for {path}, which is not on the hub. Leave it out.")
    path = Path(path)
    config, state = read_folder(path, _PIPELINE)
    trusted = [*TRUSTED, *trusted]
    file = checked_state(state, trusted)
    made_with = config["versions"].get("scikit-learn")
    if made_with != version("scikit-learn"):
        warnings.warn(
            f"{path} was made with scikit-learn {made_with}; this is {version('scikit-learn')}. "
            "Its predictions may differ.",
            UserWarning,
            stacklevel=2,
        )
    try:
        pipeline = skops_io().load(file, trusted=trusted)
        parameters = pipeline.get_params() if hasattr(pipeline, "get_params") else {}
    except Exception as error:
        raise ValueError(f"{state} cannot be loaded: {error}") from error
    return _without_memory(pipeline, parameters, path)


def read_about(path: Path) -> dict[str, str]:
    """What `save_pipeline` was told of the training data."""
    about = read_folder(path, _PIPELINE)[0].get("about")
    return {name: str(one) for name, one in about.items()} if isinstance(about, dict) else {}


def push_to_hub(path: FilePath, name: str, *, private: bool = True) -> str:
    """Upload a folder of `save_pipeline`, with its model card, to the Hugging Face hub.

    Fill in the card's licence before: the hub checks the front matter. Save with `embed_vectors=True` if the
    model has word vectors that others lack. Needs `pip install "embtransfer[hub]"` and a login
    (`hf auth login`, or `HF_TOKEN`).

    Parameters
    ----------
    path : str or path
        The folder.
    name : str
        Owner and name, such as "me/kitchenware". The repository is made if there is none.
    private : bool, default=True
        Whether a repository that is made can be seen by its owner alone.

    Returns
    -------
    str
        The commit: what `load_pipeline("hf://me/kitchenware", revision=...)` wants.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no model at the path, or it is damaged; if the name is no owner/name.
    ImportError
        If huggingface_hub is not installed.
    OSError
        If the hub cannot be reached, or refuses.

    See Also
    --------
    save_pipeline : Makes the folder.

    Examples
    --------
    >>> from embtransfer import push_to_hub
    >>> push_to_hub("no/such/folder", "me/kitchenware")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no model folder no/such/folder.
    """
    return uploaded(path, name, _PIPELINE, private)


def load_model(path, trusted=()):
    """Load a folder of either kind: what CompiledPipeline.save or save_pipeline made, as they load it."""
    compiled = is_model(Path(path), COMPILED)
    return CompiledPipeline.load(path) if compiled else load_pipeline(path, trusted=trusted)


def types_to_trust(path: Path) -> list[str]:
    """Names of the types in a folder of `save_pipeline` that loading it takes with `trusted` alone."""
    state = path / _PIPELINE.file
    return foreign_types(state, TRUSTED, state)


def check_destination(path: Path, overwrite: bool) -> None:
    """Refuse, with FileExistsError, a name under which something is that is not to be replaced."""
    _model_folders.check_destination(path, _PIPELINE, overwrite=overwrite)


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
