"""The files of sentence models: where they are, and what identifies them."""

import hashlib
import json
import re
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, distributions
from os import PathLike
from pathlib import Path, PureWindowsPath

NEEDS_EXTRA = 'SentenceEmbedder needs sentence-transformers. Run: pip install "embtransfer[sentence]"'
NEEDS_ONNX = 'backend="onnx" needs onnxruntime and tokenizers. Run: pip install "embtransfer[onnx]"'
# of models whose folders do not say what their cards demand before a text that is to be classified
_PROMPTS = {r"(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?": "query: "}
_PROMPTS |= {r"nomic-embed-text-v\d.*": "classification: "}
DOWNLOAD = "Check the name and the network, or download the model and pass its folder."


def locate(name, backend: str = "torch") -> Path | None:
    """The folder of a model; None if it is on the hub and has yet to be downloaded.

    Raises
    ------
    OSError, ValueError
        If the folder does not exist, or a folder or a package holds no model.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "modules.json").is_file():
            raise ValueError(
                f"Got model={str(name)!r}, a folder without modules.json. Expected one that "
                "SentenceTransformer.save made."
            )
        return folder
    if isinstance(name, PathLike) or folder.is_absolute() or name.startswith(".") or not name:
        raise FileNotFoundError(f"Got model={str(name)!r}: there is no such folder.")
    if "/" not in name and (folder := _installed(name)) is not None:
        return folder
    return snapshot(name, backend)


def _installed(name):
    """The folder with modules.json in an installed package; None if no such package is installed."""
    try:
        package = distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
    found = [file for file in package.files or () if file.name == "modules.json"]
    if not found:
        raise ValueError(
            f"Got model={name!r}, an installed package that holds no sentence-transformers folder (no "
            "modules.json). Pass the folder, or a package or a name on the hub that has one."
        )
    return Path(package.locate_file(min(found, key=lambda file: len(file.parts)))).parent


def prompt_for_classes(name, prompts) -> str | None:
    """What a model wants before a text that is to be classified, by its prompts or its name."""
    for key, prompt in prompts.items():
        if key.lower() == "classification":
            return prompt
    name = Path(name).name.lower()
    return next((prompt for pattern, prompt in _PROMPTS.items() if re.fullmatch(pattern, name)), None)


def hub_name(name):
    return name if "/" in name else f"sentence-transformers/{name}"


def snapshot(name, backend):
    """The folder of a model that was downloaded from the hub; None if it was not, or not whole."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ImportError(NEEDS_ONNX if backend == "onnx" else NEEDS_EXTRA) from error
    try:
        folder = Path(snapshot_download(hub_name(name), local_files_only=True))
    except (OSError, ValueError):
        return None
    configured = any((folder / name).is_file() for name in ("modules.json", "config.json"))
    kinds = {".onnx"} if backend == "onnx" else {".safetensors", ".bin"}
    return folder if configured and any(path.suffix in kinds for path in folder.rglob("*")) else None


def not_on_hub(name, error) -> OSError:
    return OSError(
        f"Got model={name!r}. It is no folder, no installed package with a model, and not among the "
        f"downloaded models, and the hub does not give it ({one_line(error)}) {_meant(name)}{DOWNLOAD}"
    )


def one_line(error) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"


def _meant(name):
    """A hint at an installed package with a model and nearly that name."""
    packages = {package.name for package in distributions() if "sentence-transformers" in _needs(package)}
    close = get_close_matches(str(name).rpartition("/")[2], packages, 1)
    return f"Did you mean the installed {close[0]}? " if close else ""


def _needs(package):
    return " ".join(package.requires or ())


def onnx_file(folder: Path) -> Path:
    """What backend="onnx" runs: onnx/model.onnx, or the only .onnx file of a folder and its folder onnx.

    Raises
    ------
    OSError
        If there is none, or more than one.
    """
    usual = folder / "onnx" / "model.onnx"
    found = [usual] if usual.is_file() else sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if len(found) == 1:
        return found[0]
    names = f"has {', '.join(path.name for path in found)}" if found else "has no .onnx file"
    raise FileNotFoundError(
        f"Got backend='onnx', but {folder} {names}. Expected onnx/model.onnx, or one such file alone: export "
        "it once where sentence-transformers and optimum are installed, or pass backend='torch'."
    )


def identity(folder: Path, backend: str) -> str:
    """Digest of the files that make a model: weights, configuration, tokenizer.

    Of what comes in two forms the one that is loaded counts: a download may hold either or both.

    Raises
    ------
    ValueError
        If modules.json is damaged, or names code or folders from elsewhere.
    """
    paths = [path for _, path in read_modules(folder)]
    folders = {folder, *(part for path in paths if path for part in _with_subfolders(folder / path))}
    files = [path for part in sorted(folders) for path in _files(part, backend)]
    if backend == "onnx":
        first = folder / (paths or [""])[0]
        network = onnx_file(first)
        files = [
            path for path in files if path.suffix != ".safetensors" or path.parent not in (folder, first)
        ]
        beside = network.parent.iterdir()  # numbers in files of their own, such as model.onnx_data
        files += sorted(path for path in beside if path.name.startswith(network.name))
    digest = hashlib.blake2b(backend.encode(), digest_size=20)
    for path in files:
        stat = path.stat()
        content = _file_digest(path, stat.st_size, stat.st_mtime_ns)
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()


def read_modules(folder):
    """Class and folder of each of a model's parts. Those with code, or from elsewhere, are refused."""
    file = folder / "modules.json"
    try:
        modules = [(part["type"], part["path"]) for part in json.loads(file.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error!r:.200}") from error
    for kind, path in modules:
        if not isinstance(path, str) or PureWindowsPath(path).anchor or ".." in PureWindowsPath(path).parts:
            raise ValueError(f"{file} names the path {path!r:.80}. Expected a folder in {folder}.")
        if not str(kind).startswith("sentence_transformers."):
            raise ValueError(
                f"{file} names the class {kind!r:.80}, which is code that comes with the model or another "
                "package. It was not run. Expected classes of sentence_transformers."
            )
    return modules


def _with_subfolders(folder):
    return [folder, *(path for path in folder.rglob("*") if path.is_dir())]


def _files(folder, backend):
    files = sorted(path for path in folder.glob("*") if path.is_file())
    names, suffixes = {path.name for path in files}, {path.suffix for path in files}
    kinds = {".json", ".safetensors"}
    if ".safetensors" not in suffixes and backend == "torch":
        kinds.add(".bin")
    if "tokenizer.json" not in names:
        kinds |= {".txt", ".model"}
    return [path for path in files if path.suffix in kinds and path.name != "data_config.json"]


@lru_cache(256)
def _file_digest(path, size, changed):  # read again if size or time changed
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
