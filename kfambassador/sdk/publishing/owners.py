"""Who publishes, and whose an object is: names and words for people, never a right to anything."""

import base64
import getpass
import json
import os
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from kfambassador.errors import Forbidden, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SELF_SUBJECT_REVIEWS
from kfambassador.names import EXPOSURE_LABEL, MANAGED_BY, MANAGED_BY_LABEL, OWNER_ANNOTATION
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local, Target

_POD_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_UNKNOWN: Final = "somebody"

# Nobody becomes another person while a client lives, and each publication would ask again.
_known: WeakKeyDictionary[KubeClient, str] = WeakKeyDictionary()


def who_am_i(client: KubeClient, place: Target) -> str:
    """Tell by what name the caller publishes.

    On a laptop that is the name of the user of this machine. A cluster is asked whom it takes us for (Kubernetes,
    SelfSubjectReview); where it does not say, the pod's ServiceAccount or the kubeconfig's user has to do. In a
    notebook of Kubeflow it is the ServiceAccount that the notebook runs as. It is asked once for each client.

    Args:
        client: The Kubernetes API.
        place: Where it is.
    """
    known = _known.get(client)
    if known is None:
        known = _known[client] = _find_name(client, place)
    return known


def owner_of(manifest: Dict[str, object]) -> str:
    """Say whose an object is, by whatever it tells of that.

    Example:
        >>> owner_of({"metadata": {"annotations": {"kfambassador/owner": "alice"}}})
        'it was published by alice'
        >>> owner_of({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}})
        'it is managed by Helm'
    """
    metadata = as_object(manifest.get("metadata"))
    labels = as_object(metadata.get("labels"))
    manager = as_text(labels.get(MANAGED_BY_LABEL))
    published = as_text(as_object(metadata.get("annotations")).get(OWNER_ANNOTATION))
    if manager == MANAGED_BY:
        name = as_text(labels.get(EXPOSURE_LABEL))
        said = f"it belongs to {name!r}, published" if name else "it was published"
        return f"{said} by {published}" if published else f"{said} from Python or the command line"
    if published:
        return f"it was published by {published}"
    return f"it is managed by {manager}" if manager else _describe_keeper(metadata)


def is_owner(manifest: Dict[str, object], who: str) -> bool:
    """Tell whether an object says that it was published by this name.

    Example:
        >>> is_owner({"metadata": {"annotations": {"kfambassador/owner": "alice"}}}, "alice"), is_owner({}, "")
        (True, False)
    """
    annotations = as_object(as_object(manifest.get("metadata")).get("annotations"))
    return bool(who) and annotations.get(OWNER_ANNOTATION) == who


def _describe_keeper(metadata: Dict[str, object]) -> str:
    """Say who keeps an object that carries no mark of ours."""
    for owner in as_objects(metadata.get("ownerReferences")):
        return f"it belongs to {owner.get('kind')} {owner.get('name')}"
    for manager in as_objects(metadata.get("managedFields")):
        return f"{manager.get('manager')} wrote it"
    return "it is somebody else's"


def _find_name(client: KubeClient, place: Target) -> str:
    if isinstance(place, Local):
        return _name_here()
    return _ask(client) or _look_up(place) or _name_here()


def _ask(client: KubeClient) -> str:
    """Ask the API whom it takes us for; "" where it knows no such question, or does not answer us."""
    for kind in SELF_SUBJECT_REVIEWS:
        try:
            review = client.create({"apiVersion": kind.api_version, "kind": kind.kind})
        except NotFound:
            continue
        except Forbidden:
            return ""
        return as_text(as_object(as_object(review.get("status")).get("userInfo")).get("username"))
    return ""


def _look_up(place: Target) -> str:
    if isinstance(place, InCluster):
        return read_subject(_read_text(_POD_TOKEN))
    return _read_user(place) if isinstance(place, Kubeconfig) else ""


def read_subject(token: str) -> str:
    """Read from a ServiceAccount's token whose it is; "" where it does not say. Nothing is checked here.

    Example:
        >>> body = base64.urlsafe_b64encode(b'{"sub": "system:serviceaccount:team:default-editor"}').decode()
        >>> read_subject(f"header.{body}.signature"), read_subject("no token")
        ('system:serviceaccount:team:default-editor', '')
    """
    _, _, rest = token.partition(".")
    body, _, _ = rest.partition(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return ""
    return as_text(as_object(claims).get("sub"))


def _read_user(place: Kubeconfig) -> str:
    """Read the user of a context; of several files the first that says something counts (kubectl)."""
    named = os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [place.path] if place.path else [Path(name).expanduser() for name in named.split(os.pathsep) if name]
    return find_user([_read_text(file) for file in files], context=place.context)


def find_user(texts: Iterable[str], *, context: str | None) -> str:
    r"""Find the user of a context in kubeconfigs; "" where none says.

    Args:
        texts: The files.
        context: The context; None means the current one.

    Example:
        >>> text = "current-context: a\ncontexts: [{name: a, context: {user: alice}}, {name: b, context: {user: bob}}]"
        >>> find_user([text], context=None), find_user([text], context="b"), find_user([text], context="c")
        ('alice', 'bob', '')
    """
    files = [as_object(document.value) for text in texts for document in read_documents(text, FILE_LIMITS)]
    wanted = context or next((as_text(file["current-context"]) for file in files if file.get("current-context")), "")
    for file in files:
        for each in as_objects(file.get("contexts")):
            if each.get("name") == wanted:
                return as_text(as_object(each.get("context")).get("user"))
    return ""


def _read_text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _name_here() -> str:
    """The user of this machine; a container's user often has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return _UNKNOWN
