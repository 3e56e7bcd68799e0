"""The very commands that fill an empty page."""

import json


def curls(url: str, *, simulated: bool) -> dict[str, str]:
    """One that sends, and, where simulators run, one that has somebody answer."""
    ours, theirs = "+12016661234", "+18045551234"
    sent = {"from": ours, "to": theirs, "type": "sms", "body": "Hello, how can I help?"}
    heard = {"channel": "sms", "from": theirs, "to": ours, "body": "My boiler is cold"}
    return {
        "send": command(f"{url}/api/messages/sms", sent),
        "receive": command(f"{url}/api/provider/mock/inbound", heard) if simulated else "",
    }


def command(url: str, body: object | None = None, method: str = "POST") -> str:
    """A request as one would type it."""
    if body is None:
        return f"curl {url}" if method == "GET" else f"curl -X {method} {url}"
    verb = "" if method == "POST" else f"-X {method} "
    data = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''").replace("\n", "\n  ")
    return f"curl {verb}{url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{data}'"
