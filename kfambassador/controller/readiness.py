"""What must hold before requests may come, each with what is missing in words."""

from typing import NamedTuple

from kfambassador.controller.loop import Controller


class Check(NamedTuple):
    """One thing that must hold.

    Attributes:
        name: A word for it that stays the same.
        fault: What is missing, in words that anybody may read; "" when it holds.
        why: The reason, for those who may know more than that: it names servers.
    """

    name: str
    fault: str = ""
    why: str = ""


def check_controller(controller: Controller) -> tuple[Check, ...]:
    """Say whether the cluster was read, its table was made, and Envoy has it; what comes first is first to mend."""
    store = controller.store
    unlisted = "" if store.is_complete else ", ".join(kind.plural for kind in store.unlisted)
    meanwhile = "; what Envoy acknowledged in an earlier run is served meanwhile" if controller.uses_kept else ""
    # What was compiled of an earlier run's files is no word of the cluster's.
    compiled = store.is_complete and controller.work.generation > 0
    return (
        Check(
            "cluster-listed",
            f"the first list of {unlisted} is not complete{meanwhile}" if unlisted else "",
            "; ".join(dict.fromkeys(store.lost.values())) if unlisted else "",
        ),
        Check("table-compiled", "" if compiled else "no table was made of it yet"),
        Check("envoy-connected", "" if controller.nodes() else "no Envoy is connected"),
        Check(
            "table-acknowledged",
            "Envoy has not yet acknowledged its first routes" if controller.served is None else "",
        ),
    )
