"""What the SDK says, in the words of a pipeline's author. Pure.

The SDK's errors name what a caller in Python would do next: ``delete_exposure('m')``, ``with prefix=``. Whoever writes
pipelines has steps and their inputs in the place of these. All words of a step go through here, rather than each error
being caught and told anew; a test reads the SDK's own texts and finds what nobody has translated.
"""

import re
from typing import Final

from kfambassador.sdk.attributes import MappingAttributes
from kfambassador.sdk.shell_words import SAID_OTHERWISE

_SERVERS: Final = "TFServing|KServeV1|KServeV2|TorchServe|MLflow|Seldon|OpenAI|HTTPServer"

# What a mapping says and a step has no input for is said in publish_route's attributes. Only where the SDK speaks of
# it: with a value of somebody's own (host=example.org) it is quoted.
_ATTRIBUTE: Final = "|".join(sorted(MappingAttributes.__annotations__.keys() - SAID_OTHERWISE.keys()))

#: Each expression, and what stands in its place; in this order.
_RULES: Final = [
    (re.compile(expression), words)
    for expression, words in (
        (r"\bdelete_exposure\((?=['\"])", "delete_route(name="),
        (r"\blist_exposures\(\)", "list_routes"),
        (r"\bexpose\(\)", "publish_route"),
        (r"\bexpose\((?:\.\.\., )?", "publish_route("),
        (r"\bcanary\(\)", "shift_traffic"),
        (r"\bGuard\((\w+=\w+)\)", r"\1"),
        # A step connects by itself, and has no credentials of anybody's.
        (r", or give connect\(url=\.\.\.\)", ""),
        (r"\bThen connect\(\) again\b", "Then run the step again"),
        (r"\bconnect\(('[\w-]+')\)", r"target=\1"),
        (r"\bsend what it asks for with connect\(credentials=\.\.\.\), or ", ""),
        (r"\bgive connect\(credentials=\.\.\.\)", "a step cannot log in"),
        (r"\. With retries= it is asked again(?: as Retry-After says)?", ""),
        # A server is named by its kind.
        (rf"\b(?:{_SERVERS})\((model=\.\.\.)\)(?:, or --model on the command line)?", r"\1"),
        (r"\bA server of another kind has a class of its own; ", "A server of another kind is said with server=; "),
        (r"\bserver=HTTPServer\(\)", 'server="http"'),
        (r"--model\b", "model="),
        (rf"(?<![\w?&.])({_ATTRIBUTE})=(True|False)(?!\w)", r'attributes["\1"]=\2 of publish_route'),
        (rf"(?<![\w?&.])({_ATTRIBUTE})=(?:\.\.\.)?(?=[\s,;:)]|\.\s|\.?$)", r'attributes["\1"] of publish_route'),
    )
]


def tell(words: object) -> str:
    """Tell what the SDK says, or an error of it, as a step does.

    Example:
        >>> tell("m stays published; delete_exposure('m') takes it away")
        "m stays published; delete_route(name='m') takes it away"
        >>> tell("Give it a path of its own with prefix=")
        'Give it a path of its own with attributes["prefix"] of publish_route'
    """
    told = str(words)
    for expression, instead in _RULES:
        told = expression.sub(instead, told)
    return told
