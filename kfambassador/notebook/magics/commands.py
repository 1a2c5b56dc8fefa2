"""The magics themselves: a line is read, the SDK is called, and what it gives is given back."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import display

from kfambassador.errors import ConfigurationError, MappingRejected
from kfambassador.names import DEFAULT_NAMESPACE
from kfambassador.notebook.failing import calm
from kfambassador.notebook.magics.choosing import Chooser
from kfambassador.notebook.magics.drawing import Review
from kfambassador.notebook.magics.evaluating import read_inputs
from kfambassador.notebook.magics.grammar import EXPLAIN, EXPOSE, MAPPING, PREDICT, ROUTES
from kfambassador.notebook.magics.lines import Magic, Said
from kfambassador.problems import Problem, Severity
from kfambassador.routing.describe import name_mapping
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.applying import apply_objects, read_objects
from kfambassador.sdk.reviewing import PolicyChoice, choose_policy, compile_texts, explain_texts
from kfambassador.sdk.shell_words import choose_server, read_file, read_headers, read_settings, read_span
from kfambassador.sdk.targets import Local, choose_target
from kfambassador.sdk.views import RouteList

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

_Act = Callable[["KfAmbassadorMagics", Any, str], object]

#: What ``front_end/filter.js`` reads as more than a word: a list without a page has neither states nor live figures.
_CONDITION: Final = re.compile(
    r"-?(?:(?:is|state|ns|namespace|method|path|host|service|mapping|object):|(?:rate|errors|p99)[<>])"
)


def _takes(magic: Magic) -> Callable[[_Act], Callable[..., object]]:
    """Make a magic of a function: its line is read first, and its docstring is the help."""

    def decorate(act: _Act) -> Callable[..., object]:
        @wraps(act)
        def run(self: "KfAmbassadorMagics", line: str, cell: str = "") -> object:
            said = magic.read(line)
            if said is None:
                print(magic.write_help())  # noqa: T201 - help is for the cell's output
                return None
            return act(self, said, cell)

        run.__doc__ = magic.write_help()
        return run

    return decorate


@magics_class
class KfAmbassadorMagics(Magics):
    """What ``%load_ext kfambassador`` brings.

    Args:
        shell: The IPython shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._names: Final[dict[str, object]] = shell.user_ns
        self.chooser: Final = Chooser(shell.user_ns)

    @line_magic
    @_takes(ROUTES)
    def routes(self, said: Said, _cell: str) -> object:
        """Show the routes."""
        text = str(said["filter"])
        with self.chooser.using(said) as gateway:
            if said.get("list") or getattr(self.shell, "kernel", None) is None:
                return filter_routes(gateway.routes(), text)
            try:
                from kfambassador.notebook.browser import HEIGHT, RouteBrowser
            except ImportError:
                return filter_routes(gateway.routes(), text)
            return RouteBrowser(gateway, filter=text, height=said.get("height", HEIGHT))  # type: ignore[arg-type]  # read as int

    @line_magic
    @_takes(EXPOSE)
    def expose(self, said: dict[str, Any], _cell: str) -> object:
        """Publish a model."""
        name = said["name"]
        arguments: dict[str, Any] = {
            **read_settings(said.get("set")),
            "service": said["service"],
            "server": choose_server(said.get("server"), said.get("model")),
            "namespace": said.get("namespace"),
            "ttl": read_span(said.get("ttl")),
        }
        with self.chooser.using(said) as gateway:
            if said.get("dry_run"):
                return gateway.diff(name, **arguments)
            waiting = {key: said[key] for key in ("wait", "timeout", "take_over") if key in said}
            try:
                return gateway.expose(name, **waiting, **arguments)
            except KeyboardInterrupt as interrupt:
                calm(
                    interrupt,
                    f"Interrupted. If {name} was applied already it stays published, and answers once nothing is "
                    f"missing; gateway.delete_exposure({name!r}) takes it away.",
                )
                raise

    @line_magic
    @_takes(EXPLAIN)
    def explain(self, said: dict[str, Any], _cell: str) -> object:
        """Tell what becomes of a request."""
        method, url, headers = said["method"].upper(), said["url"], read_headers(said.get("header"))
        files, ask_envoy = said.get("file"), bool(said.get("ask_envoy"))
        if files and ask_envoy:
            raise ConfigurationError("--ask-envoy asks the Envoy of a gateway; with --file there is none")
        if files:
            return explain_texts(((file, read_file(file)) for file in files), RequestLine.read(method, url, headers))
        with self.chooser.using(said) as gateway:
            return gateway.explain(method, url, headers, ask_envoy=ask_envoy)

    @cell_magic
    @_takes(MAPPING)
    def mapping(self, said: dict[str, Any], cell: str) -> object:
        """Judge configuration, and apply it where that is asked for."""
        if not said.get("apply"):
            return _review(cell, self._choose_policy(said), self._choose_namespace(said))
        with self.chooser.using(said) as gateway:
            namespace = said.get("namespace") or gateway.namespace
            review = _review(cell, self._choose_policy(said), namespace)
            if not review:
                _refuse(review, "Nothing is applied")
            return _apply(gateway, review, timeout=said.get("timeout"))

    @cell_magic
    @_takes(PREDICT)
    def predict(self, said: dict[str, Any], cell: str) -> object:
        """Ask a model."""
        headers = read_headers(said.get("header"))
        inputs = read_inputs(cell, self._names)
        with self.chooser.using(said) as gateway:
            model = gateway.get_exposure(said["name"], namespace=said.get("namespace"))
            return model.predict(inputs, variant=said.get("variant"), headers=headers)

    def _choose_policy(self, said: dict[str, Any]) -> TenancyPolicy:
        """As the gateway judges that it would be applied to, where nothing is said."""
        choice, namespace = said.get("policy"), said.get("gateway_namespace")
        if choice is None:
            gateway = self.chooser.find(said)
            place = choose_target(said.get("target"), os.environ) if gateway is None else gateway.place
            is_here = isinstance(place, Local) and namespace is None
            choice = PolicyChoice.LAPTOP if is_here else PolicyChoice.STRICT
        return choose_policy(choice, namespace)

    def _choose_namespace(self, said: dict[str, Any]) -> str:
        gateway = self.chooser.find(said)
        return said.get("namespace") or (gateway.namespace if gateway else DEFAULT_NAMESPACE)


def filter_routes(routes: RouteList, text: str) -> RouteList:
    """Leave the routes whose row holds every word of a text; ``-word`` leaves those whose row does not.

    Raises:
        ConfigurationError: A word is a condition that the route browser alone understands, and no row would hold.

    Example:
        >>> from kfambassador.sdk.views import Route, Split
        >>> both = [Route(match={"prefix": f"/{m}/"}, splits=(Split(mapping=m, service=m, share=100),)) for m in "ab"]
        >>> filter_routes(RouteList(both), "-/a/")[0]
        <Route * /b/* → b>
    """
    words = [word.strip('"').lower() for word in text.split()]
    condition = next(filter(_CONDITION.match, words), None)
    if condition is not None:
        raise ConfigurationError(
            f"{condition!r} is a condition of the route browser, and a list is left by words alone, such as team-a or "
            "-mnist; what is wrong is in gateway.problems()"
        )
    wanted = [word for word in words if not word.startswith("-")]
    unwanted = [word[1:] for word in words if len(word) > 1 and word.startswith("-")]
    rows = [(route, str(RouteList([route])).partition("\n")[2].lower()) for route in routes]
    return RouteList(
        route
        for route, row in rows
        if all(word in row for word in wanted) and not any(word in row for word in unwanted)
    )


def _review(text: str, policy: TenancyPolicy, namespace: str) -> Review:
    compiled = compile_texts([("", text)], policy, namespace=namespace)
    splits = [split for route in compiled.table.routes() for split in route.receivers]
    return Review(text, compiled.problems, tuple(dict.fromkeys(map(name_mapping, splits))), namespace)


def _apply(gateway: "Gateway", review: Review, *, timeout: float | None) -> Review:
    manifests = read_objects(review.text, namespace=review.namespace)
    if not manifests:
        raise ConfigurationError("There is nothing to apply: the cell holds no Mapping, and no annotated Service")
    access = gateway._access  # noqa: SLF001 - the ways to it
    done = apply_objects(access, manifests, timeout=timeout)
    sources = [each.source for each in done if each.source is not None]
    told = [problem.as_problem() for source in sources for problem in source.problems]
    known = {(problem.code, problem.message) for problem in told}
    kept = [problem for problem in review.problems if (problem.code, problem.message) not in known]
    mappings = tuple(name for source in sources for name in source.mappings)
    applied = tuple(each.key for each in done)
    done_review = replace(review, problems=(*told, *kept), mappings=mappings, applied=applied)
    if not done_review:
        _refuse(done_review, "It is applied, and the gateway leaves out what is at fault")
    return done_review


def _refuse(review: Review, words: str) -> None:
    """Show what is wrong at its line, and fail."""
    display(review)  # type: ignore[no-untyped-call]  # IPython wrote no types here
    faults: list[Problem] = [each for each in review.problems if each.severity is Severity.ERROR]
    count = "1 error is" if len(faults) == 1 else f"{len(faults)} errors are"
    error = MappingRejected(f"{words}: {count} shown at the line above.")
    error.problems = tuple(faults)
    raise error
