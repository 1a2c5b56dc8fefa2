"""The files of ``deploy``, read into objects: as much of kustomize as they use, and no more.

A test holds that kustomize makes the same of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.kube.objects import Manifest
from kfambassador.resources.crd import build_definitions
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.fields import as_object, as_objects, as_text

#: What is installed when nothing is said.
BASE: Final = "base"

_FILE: Final = "kustomization.yaml"
_KNOWN: Final = {"apiVersion", "kind", "resources", "components", "patches", "configMapGenerator"}


def find_manifests() -> Path:
    """Find the files: in the package where it was installed from a wheel, else in the checkout it is part of.

    Raises:
        ConfigurationError: They are in neither.

    Example:
        >>> (find_manifests() / "base" / "kustomization.yaml").exists()
        True
    """
    places = (Path(__file__).parent / "deploy", Path(__file__).parents[2] / "deploy")
    for place in places:
        if (place / BASE / _FILE).exists():
            return place
    raise ConfigurationError("The manifests are missing from this installation of kfambassador: install it anew.")


def list_overlays() -> list[str]:
    """List what can be installed, and the parts that can be added to it, by their names.

    Example:
        >>> list_overlays()
        ['base', 'kubeflow', 'kubeflow-ingress']
    """
    return [BASE, *_list_folders(find_manifests() / "overlays")]


def list_components() -> list[str]:
    """List the parts that can be added to what is installed.

    Example:
        >>> "service-monitor" in list_components()
        True
    """
    return _list_folders(find_manifests() / "components")


def read_manifests(overlay: str = BASE, components: Sequence[str] = ()) -> list[Manifest]:
    """Read all objects of an installation, definitions of custom resources included.

    Args:
        overlay: One of :func:`list_overlays`.
        components: Some of :func:`list_components`.

    Raises:
        ConfigurationError: There is no such overlay or component.

    Example:
        >>> sorted({each["kind"] for each in read_manifests()} & {"Deployment", "Namespace", "VirtualService"})
        ['Deployment', 'Namespace']
    """
    place = find_manifests()
    _check("overlay", [overlay], list_overlays())
    _check("component", components, list_components())
    folder = place / BASE if overlay == BASE else place / "overlays" / overlay
    found = _read_folder(folder, [])
    for component in components:
        found = _read_folder(place / "components" / component, found)
    return [*build_definitions(), *found]


def merge(manifest: Dict[str, object], patch: Dict[str, object]) -> Manifest:
    """Merge a patch into an object: what both have is the patch's, a list as a whole (RFC 7386).

    Example:
        >>> merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2], "b": None}})
        {'a': {'c': [2]}}
    """
    merged = dict(manifest)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(as_object(merged.get(name)), value) if isinstance(value, dict) else value
    return merged


def _list_folders(place: Path) -> list[str]:
    return sorted(each.name for each in place.iterdir() if (each / _FILE).exists())


def _check(what: str, asked: Iterable[str], known: list[str]) -> None:
    for name in asked:
        if name not in known:
            raise ConfigurationError(f"There is no {what} {name!r}: it is one of {', '.join(known)}.")


def _read_folder(folder: Path, found: list[Manifest]) -> list[Manifest]:
    """Add what a folder's kustomization says to what was found before it."""
    (said,) = _read_file(folder / _FILE)
    if unknown := said.keys() - _KNOWN:
        raise ConfigurationError(f"{folder / _FILE} says {', '.join(sorted(unknown))}, which is not read here.")
    for name in _names(said, "resources"):
        place = folder / name
        found = _read_folder(place, found) if place.is_dir() else _add(found, _read_file(place))
    found = _add(found, [_generate(folder, each) for each in as_objects(said.get("configMapGenerator"))])
    for name in _names(said, "components"):
        found = _read_folder(folder / name, found)
    for each in as_objects(said.get("patches")):
        for patch in _read_file(folder / as_text(each.get("path"))):
            found = [merge(one, patch) if _identify(one) == _identify(patch) else one for one in found]
    return found


def _add(found: list[Manifest], more: Iterable[Manifest]) -> list[Manifest]:
    """Add objects, each once: a component may be named twice."""
    known = {_identify(each) for each in found}
    return [*found, *(each for each in more if _identify(each) not in known)]


def _generate(folder: Path, said: Dict[str, object]) -> Manifest:
    """Make a ConfigMap of files."""
    named = (name.partition("=") for name in _names(said, "files"))
    data = {key: (folder / (path or key)).read_text() for key, _, path in named}
    metadata = {"name": said["name"], "namespace": said["namespace"], "labels": as_object(said["options"])["labels"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _read_file(path: Path) -> Iterator[Manifest]:
    for document in read_documents(path.read_text(), FILE_LIMITS):
        if document.fault is not None:
            raise ConfigurationError(f"{path}: {document.fault.message}")
        yield {**as_object(document.value)}


def _names(said: Dict[str, object], field: str) -> list[str]:
    value = said.get(field)
    return [as_text(each) for each in value] if isinstance(value, list) else []


def _identify(manifest: Manifest) -> tuple[str, str, str, str]:
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]
