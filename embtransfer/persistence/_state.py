"""What a fitted pipeline is in a file: what skops makes of it, with public names, of bounded size."""

import io
import json
from importlib import import_module
from zipfile import ZipFile, ZipInfo

from ..system._imports import not_found
from ..system._unpacking import check_packing, check_unpacked

_SCHEMA = "schema.json"  # of a skops file, beside the files of its arrays

# what a file may hold beside the safe types of scikit-learn, numpy and scipy that skops lists
_TYPES_OF = {
    "embtransfer": """CORAL CORALClassifier CascadeClassifier CoTrainingClassifier ColumnEmbedder
        DistilledEmbedder DomainCentering DomainWordEmbedder FeatureAugmentationClassifier
        GeodesicFlowKernel HTMLCleaner
        ImportanceWeightedClassifier ImportanceWeightedRegressor JointDistributionAdaptation
        LabelShiftClassifier LengthScaling LinearOT MSDA MultiLabelClassifier NGramVectorizer
        NaiveBayesLogisticRegression NoAdaptation OptimalTransport PooledClassifier SCL
        SelfTrainingClassifier SentenceEmbedder StackedDomains StaticEmbedder SubspaceAlignment TCA
        TransferPipeline VectorEmbedder WordEmbedder WordVectors""",
    "embtransfer.adapters": """AffineMap DenoisingLayers DisplacementMap Identity KernelMap LinearMap Moments
        PivotProjection RBFKernel ScaleMap""",
    "embtransfer.embedders": "NGrams",
    "numpy": "dtype",  # that of an array in the file
    "scipy.sparse._csr": "csr_matrix",
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration",
}
# where a file finds each type; of ours a public path, wherever its module lies now
_MODULE_OF = {name: module for module, names in _TYPES_OF.items() for name in names.split()}
TRUSTED = tuple(f"{module}.{name}" for name, module in _MODULE_OF.items())


def skops_io():
    """skops.io, whose import looks for types in all of scikit-learn, and so imports torch: seconds.

    And pytest, for decorators of scikit-learn's own tests.
    """
    with not_found("torch", "pytest"):
        return import_module("skops.io")


def write_state(pipeline, path):
    """Write what skops makes, less what differs every time: addresses in memory, random names, the time."""
    made = io.BytesIO()
    skops_io().dump(pipeline, made)
    with ZipFile(made) as old, ZipFile(path, "w") as new:
        schema = json.loads(old.read(_SCHEMA))
        numbers, names = {}, {}
        _renumber(schema, numbers, names, set(old.namelist()))
        for name, renamed in names.items():
            new.writestr(ZipInfo(renamed), old.read(name))
        new.writestr(ZipInfo(_SCHEMA), json.dumps(schema))


def checked_state(state, trusted):
    """What skops may load of a file, which is refused if it is damaged, too large or of types not trusted."""
    file = _with_public_names(state, _schema_of_bounded(state))
    foreign = foreign_types(file, trusted, state)
    if foreign:
        raise ValueError(
            f"{state} holds types that are not trusted: {', '.join(foreign)}. If you know where the file "
            f"comes from, pass trusted={foreign} (--trusted {','.join(foreign)})."
        )
    return file


def foreign_types(file, trusted, state):
    """Types in a file beside those that are trusted."""
    skops = skops_io()  # not below: that it is not installed is no damage
    try:
        return sorted(set(skops.get_untrusted_types(file=file)) - set(trusted))
    except Exception as error:  # what a damaged file raises is not documented
        raise ValueError(f"{state} is damaged: {error}") from error


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
    module, public = node.get("__module__"), _MODULE_OF.get(str(node.get("__class__")))
    private = public is not None and str(module).startswith("embtransfer.") and module != public
    if private:
        node["__module__"] = public
    return private


def _with_public_names(state, schema):
    """The file, or, where an earlier version named private modules in it, a copy with public names."""
    renamed = [_name_publicly(node) for node in _nodes(schema)]
    if not any(renamed):
        return state
    made = io.BytesIO()
    with ZipFile(state) as old, ZipFile(made, "w") as new:
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


def _schema_of_bounded(state):
    """The schema; refuse a state small on disk and large in memory: packed, or with an array named often."""
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
    return schema


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
