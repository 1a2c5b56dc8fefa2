"""Bringing the magics into a shell, and taking them out again."""

from typing import Final

from IPython.core.interactiveshell import InteractiveShell

from kfambassador.notebook.magics.commands import KfAmbassadorMagics
from kfambassador.notebook.magics.completing import MATCHER, Completer

#: By what they are found again, also after the modules were imported anew.
_MAGICS: Final = KfAmbassadorMagics.__name__


def load(shell: InteractiveShell) -> None:
    """Bring the magics into a shell; those that are there already are replaced."""
    unload(shell)
    magics = KfAmbassadorMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(Completer(magics.chooser).match)


def unload(shell: InteractiveShell) -> None:
    """Take everything out of a shell that :func:`load` has brought; what magics have given back goes on."""
    manager, completer = shell.magics_manager, shell.Completer
    completer.custom_matchers[:] = [
        matcher for matcher in completer.custom_matchers if getattr(matcher, "matcher_identifier", "") != MATCHER
    ]
    # The registry loads what it does not know, so it is not asked for it.
    if _MAGICS not in manager.registry:
        return
    magics = manager.registry.pop(_MAGICS)
    for kind, names in magics.magics.items():
        for name in names:
            # Somebody else may have one of that name by now.
            if getattr(manager.magics[kind].get(name), "__self__", None) is magics:
                del manager.magics[kind][name]
