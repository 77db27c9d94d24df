"""Files that ship with embtransfer: a GloVe subset and two domains of reviews; see README.md."""
