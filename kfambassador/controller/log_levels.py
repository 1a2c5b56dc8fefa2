"""The controller's own log level, told and changed by the gateway's owner while it runs."""

from typing import Final

from aiohttp import web

from kfambassador.controller.inquiries import Inquiry
from kfambassador.controller.logs import LEVELS, change_level, current_level

_LONGEST: Final = 100


async def tell_level(inquiry: Inquiry) -> web.Response:
    """Tell the level."""
    inquiry.require_owner("what the controller logs")
    return web.json_response({"level": current_level(), "levels": LEVELS})


async def put_level(inquiry: Inquiry) -> web.Response:
    """Take the level that the body names; until the controller ends, whatever its settings say."""
    # A browser sends PUT for no other site.
    inquiry.require_owner("to change what the controller logs")
    level = (await inquiry.request.content.read(_LONGEST)).decode(errors="replace").strip().lower()
    try:
        change_level(level)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    return await tell_level(inquiry)
