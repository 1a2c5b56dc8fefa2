"""The steps as components of kfp: which image they run in, and that none of their results is taken from a cache."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from kfambassador.pipelines.extra import needing_kfp
from kfambassador.pipelines.image import choose_image

with needing_kfp():
    from kfp import dsl
    from kfp.compiler import Compiler
    from kfp.dsl import PipelineTask
    from kfp.dsl.pipeline_task import TaskState
    from kfp.dsl.python_component import PythonComponent

    from kfambassador.pipelines import functions

#: Where the compiled YAML of each component lies.
COMPILED: Final = Path(__file__).parent / "compiled"


#: The input that says which run a step is of. Kfp puts it in where an argument asks for it, and not in a default.
RUN: Final = "run"


class Component(PythonComponent):  # type: ignore[misc]  # kfp ships no types
    """A component whose tasks are never answered from kfp's cache, and know which run they are of.

    Caching is on by default and a matter of each task: a component cannot say that it has effects. A publication that
    is taken from the cache publishes nothing, so here a task is made with caching off; ``set_caching_options(True)``
    after it would be its author's own wish.
    """

    def __call__(self, *arguments: Any, **inputs: Any) -> PipelineTask:  # noqa: ANN401 - kfp's own
        """Make a task of it, in a pipeline; or run it here, outside of one, where ``kfp.local.init`` was called."""
        if RUN in (self.component_spec.inputs or {}):
            inputs.setdefault(RUN, dsl.PIPELINE_JOB_ID_PLACEHOLDER)
        task = super().__call__(*arguments, **inputs)
        # Outside of a pipeline it has run already.
        return task.set_caching_options(enable_caching=False) if task.state is TaskState.FUTURE else task

    @property
    def pipeline_spec(self) -> Any:  # noqa: ANN401 - kfp ships no types
        """What is compiled: also where the YAML is run by itself, nothing comes from a cache."""
        spec = super().pipeline_spec
        for task in spec.root.dag.tasks.values():
            task.caching_options.enable_cache = False
        return spec


@dataclass(frozen=True, slots=True)
class Components:
    """All components; each is described in the module ``functions``."""

    publish_route: Component
    test_route: Component
    shift_traffic: Component
    promote_route: Component
    rollback_route: Component
    delete_route: Component
    list_routes: Component


def load_components(image: str | None = None) -> Components:
    """Make the components, to run in an image.

    Args:
        image: The image; None means what ``KFAMBASSADOR_IMAGE`` says, or else kfambassador's own at the package's
            version.

    Example:
        >>> components = load_components("registry.example/kfambassador:1")
        >>> components.publish_route.component_spec.implementation.container.image
        'registry.example/kfambassador:1'
    """
    chosen = choose_image(image)
    return Components(**{field.name: _make(field.name, chosen) for field in fields(Components)})


def _make(name: str, image: str) -> Component:
    made = dsl.component(getattr(functions, name), base_image=image, install_kfp_package=False)
    return Component(component_spec=made.component_spec, python_func=made.python_func)


def compile_components(folder: Path, *, image: str) -> list[Path]:
    """Write the compiled YAML of each component into a folder; give the files.

    Args:
        folder: The folder; it must be there.
        image: The image they are to run in.
    """
    components = load_components(image)
    files = []
    for field in fields(Components):
        files.append(folder / f"{field.name}.yaml")
        Compiler().compile(getattr(components, field.name), str(files[-1]))
    return files


_USUAL: Final = load_components()

publish_route = _USUAL.publish_route
test_route = _USUAL.test_route
shift_traffic = _USUAL.shift_traffic
promote_route = _USUAL.promote_route
rollback_route = _USUAL.rollback_route
delete_route = _USUAL.delete_route
list_routes = _USUAL.list_routes
