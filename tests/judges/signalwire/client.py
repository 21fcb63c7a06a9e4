"""SignalWire's own SDK, making the calls it reads from standard input: an independent judge of the simulator.

Run by the Python of an environment of its own (`make judges`). In: the host, the project, the token and a list of
calls, each a method's name below the client, its arguments and its named arguments. Out: for each call its value, or
the status and body of the error.
"""

import json
import sys
from operator import attrgetter
from typing import Any

from signalwire.rest import RestClient, SignalWireRestError


def answer(client: RestClient, name: str, arguments: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    try:
        value = attrgetter(name)(client)(*arguments, **named)
        return {"value": list(value) if name.endswith(".paginate") else value}
    except SignalWireRestError as error:
        return {"status": error.status_code, "body": error.body}


def main() -> None:
    asked = json.load(sys.stdin)
    client = RestClient(asked["project"], asked["token"], asked["host"])
    json.dump([answer(client, *call) for call in asked["calls"]], sys.stdout)


main()
