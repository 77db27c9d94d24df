"""Files, folders, memory and processors, as the rest of the package needs them."""
