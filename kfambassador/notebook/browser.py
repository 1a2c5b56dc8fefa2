"""The route browser in a notebook: a widget whose table, filters and forms run in the page.

What travels: the table as a part of the widget's state, small, so that a second view, another tab and a saved notebook
have it at once; everything else as messages, so that it is kept nowhere. No token or credential is in either.
"""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary, ref

import anywidget
import traitlets

from kfambassador.notebook.answering.desk import answer, tell_error
from kfambassador.notebook.fallback import show_routes_at
from kfambassador.notebook.feed import Feed, feed_of, pack
from kfambassador.notebook.joining import join_modules, join_styles
from kfambassador.notebook.rows import Event

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

#: Pixels; more routes are scrolled.
HEIGHT: Final = 420


class RouteBrowser(anywidget.AnyWidget):
    """A table of a gateway's routes with filters, live figures, a test form and the split.

    Args:
        gateway: The gateway.
        filter: What the table is filtered by at first, as it is typed into the search field.
        height: Pixels the table has at most.

    Example::

        RouteBrowser(gateway, filter="team-a state:conflict")
    """

    _esm = join_modules("widget.js")
    _css = join_styles()

    #: The newest table event, as :func:`~kfambassador.notebook.feed.pack` writes it.
    table = traitlets.Bytes().tag(sync=True)
    #: How it is shown: ``filter`` and ``height``.
    options = traitlets.Dict().tag(sync=True)

    def __init__(self, gateway: "Gateway", *, filter: str = "", height: int = HEIGHT) -> None:  # noqa: A002
        super().__init__(options={"filter": filter, "height": height})
        self._gateway = gateway
        self._feed = feed_of(gateway)
        self._sending = Lock()
        self._end: Callable[[], None] | None = None
        _answer_where_asked(self.comm)
        self.on_msg(self._receive)

    @property
    def feed(self) -> Feed:
        """Where what is live comes from."""
        return self._feed

    def watch(self) -> None:
        """Begin to follow the gateway; shown twice it follows once."""
        if self._end is None:
            listener = _Listener(self)
            listener.end = self._end = self._feed.subscribe(listener)

    def rest(self) -> None:
        """Follow the gateway no more, until it is shown again."""
        if self._end is not None:
            self._end()
            self._end = None

    def close(self) -> None:
        """Take the widget out of the page, and follow no more."""
        self.rest()
        super().close()

    def __repr__(self) -> str:
        return f"<RouteBrowser of {self._gateway.url}>"

    def _repr_mimebundle_(self, **wanted: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        shown = super()._repr_mimebundle_(**wanted)
        if shown is None:
            return None
        data, metadata = shown
        # What is shown where there are no widgets, in saved and in exported notebooks.
        left_out = self.options["filter"]
        note = f"All routes: the filter {left_out!r} works where there are widgets." if left_out else ""
        html = show_routes_at(self._gateway, self._feed, note=note)
        self.watch()
        return {**data, "text/plain": repr(self), "text/html": html}, metadata

    def _hear(self, event: Event) -> None:
        with self._sending:
            if event["kind"] == "table":
                self.table = pack(event)
            else:
                self.send({"type": "event", "event": event})

    def _receive(self, _widget: object, message: object, _buffers: object) -> None:
        if not isinstance(message, dict):
            return
        match message.get("type"):
            case "ask":
                self._answer(message)
            case "shown":
                # Everything once more, for who has just come.
                before, self._end = self._end, None
                self.watch()
                if before is not None:
                    before()
            case "gone":
                self.rest()
                # In another window it may still be seen; who shows it says so.
                self.send({"type": "anyone"})

    def _answer(self, message: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"type": "answer", "id": message.get("id")}
        arguments = message.get("args")
        try:
            asked = arguments if isinstance(arguments, dict) else {}
            reply["answer"] = answer(self._gateway, str(message.get("kind")), asked)
        except Exception as error:  # noqa: BLE001 - a person waits for words, whatever has happened
            reply["error"] = tell_error(error)
        except KeyboardInterrupt:
            # Somebody interrupts the kernel, and the one who asked waits all the same.
            reply["error"] = {"title": "Interrupted", "words": "The kernel was interrupted before the answer came."}
        self.send(reply)


def _answer_where_asked(comm: object) -> None:
    """Let what a page says be handled in the subshell the page names, as the messaging protocol has it.

    ipykernel 7.4 hands it to the subshell that was at work when the comm was last written to. What is live is written
    from a thread of its own, so that may be any subshell, also one that JupyterLab has ended since: then no question
    would be answered any more.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public word for it


class _Listener:
    """Hands events to a widget, and holds nothing that would keep it alive."""

    def __init__(self, widget: RouteBrowser) -> None:
        self._widget = ref(widget)
        self.end: Callable[[], None] | None = None

    def __call__(self, event: Event) -> None:
        widget = self._widget()
        if widget is not None:
            widget._hear(event)  # noqa: SLF001 - its own listener
        elif self.end is not None:
            self.end()


_BROWSERS: WeakValueDictionary[int, RouteBrowser] = WeakValueDictionary()


def browser_of(gateway: "Gateway") -> RouteBrowser:
    """The browser that shows a gateway at the end of a cell: always the same one, with many views."""
    # A browser holds its gateway, whose identity is therefore nobody else's as long as it is here.
    found = _BROWSERS.get(id(gateway))
    if found is None or found.comm is None:
        found = _BROWSERS[id(gateway)] = RouteBrowser(gateway)
    return found
