"""The report of `embtransfer compare --report`."""

from pathlib import Path

from ._terminal import progress_bar, steps, talk


def check_folder(folder) -> None:
    """Refuse a place for the report before the long comparison, and not after it."""
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"Got --report {folder}, which is a file. Expected a folder, new or not.")


def write_report(folder, context, data, table, embedders, adapters, classifiers, split) -> None:
    """Write the report of a comparison; it describes the first combination asked for that adapts.

    Taken by its place in the command line and not by its score, so that no target label chooses it.
    """
    from .adapters import make_adapter
    from .classifiers import make_classifier
    from .pipeline import make_transfer_pipeline
    from .report import make_report

    embedder = next(iter(embedders.values()))
    adapter = next((name for name in adapters if name != "none"), "none")
    model = make_transfer_pipeline(embedder, make_adapter(adapter), make_classifier(classifiers[0]))
    title = " → ".join(Path(context.params[domain]).stem for domain in ("source", "target"))
    options = {"table": table, "model": model, "title": title, "command": command_line(context), **split}
    with progress_bar() as bar:
        report = make_report(*data, **options, progress=steps(bar))
    page, *others = report.save(folder)
    talk.print(f"Report: {page}, and {', '.join(path.name for path in others)} beside it.")


def command_line(context) -> list[str]:
    """The words of the running command: options that were given, in the order of its help."""
    words = context.command_path.split()
    words[0] = "embtransfer"  # not the path of the script
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name).name != "COMMANDLINE":
            continue
        words.append(parameter.opts[0])
        if not parameter.is_flag:
            words.append(str(context.params[parameter.name]))
    return words
