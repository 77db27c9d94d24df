"""Coverage-guided fuzzing of what takes bytes from outside; see README.md. Targets import without atheris."""

TARGETS = {
    "tokens": "texts -> tokens, rows and means, against re, str.lower and a dict",
    "text_lines": "lines of GloVe text -> words and numbers, against bytes.rsplit and float",
    "vector_files": "every reader of vectors: a table, or ValueError",
    "model_folders": "load_pipeline and CompiledPipeline.load: the model that was saved, or an error",
    "score_files": "score_file: rows in are rows out and rows refused; the output is whole or absent",
}
