"""Commands: none takes an option twice that has one value; the help of some names what registries hold."""

from collections import Counter

import typer
from typer.core import TyperCommand

from ._terminal import clear_errors


class Command(TyperCommand):
    """A command that refuses an option given twice where the last one would be taken, and nobody told."""

    def parse_args(self, ctx, args):
        times = Counter(self.make_parser(ctx).parse_args(args=[*args])[-1])
        for option, n in times.items():
            if n > 1 and not (option.multiple or option.is_flag):
                with clear_errors():
                    raise ValueError(f"Got {option.opts[0]} {n} times. Expected it once: it takes one value.")
        return super().parse_args(ctx, args)


class NamingCommand(Command):
    """A command whose help lists names of registries, which are imported only when it is shown."""

    def format_help(self, ctx, formatter):
        from .. import adapters, classifiers, datasets, recipes
        from ..embedders import POOLINGS

        registries = {
            "adapters": adapters.ADAPTERS,
            "amazon_domains": datasets.AMAZON_DOMAINS,
            "classifiers": classifiers.CLASSIFIERS,
            "demo_domains": datasets.DEMO_DOMAINS,
            "poolings": POOLINGS,
            "recipes": [name for name in recipes.RECIPES if name != recipes.COLUMNS],
            "regressors": classifiers.REGRESSORS,
        }
        names = {registry: ", ".join(found) for registry, found in registries.items()}
        for option in self.params:
            if option.help:
                option.help = option.help.format(**names)
        super().format_help(ctx, formatter)


class Commands(typer.Typer):
    """Commands of this kind, unless they say of which."""

    def command(self, name=None, *, cls=Command, **options):
        return super().command(name, cls=cls, **options)
