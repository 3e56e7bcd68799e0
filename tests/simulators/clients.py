"""Sending over the simulated vendors with a bare HTTP client."""

from aiohttp import ClientError, ClientTimeout, encode_basic_auth

from parley.simulators import credentials
from tests.simulators.stage import Stage

AUTH = {"Authorization": encode_basic_auth(credentials.TWILIO_ACCOUNT_SID, credentials.TWILIO_AUTH_TOKEN)}
PATH = f"/twilio/2010-04-01/Accounts/{credentials.TWILIO_ACCOUNT_SID}/Messages.json"


async def send(sim: Stage, body: str = "x", callback: str = "", timeout: float = 10) -> int | str:
    """Send over Twilio: the status, or the name of what happened to the connection."""
    fields = {"To": "+12016661234", "From": "+18045551234", "Body": body}
    if callback:
        fields["StatusCallback"] = callback
    try:
        async with sim.http.post(
            sim.url + PATH, data=fields, headers=AUTH, timeout=ClientTimeout(total=timeout)
        ) as answer:
            await answer.read()
            return answer.status
    except TimeoutError:
        return "silence"
    except ClientError:
        return "cut"


async def mail(sim: Stage) -> int:
    """Send over SendGrid."""
    content = {
        "personalizations": [{"to": [{"email": "a@example.com"}]}],
        "from": {"email": "b@example.com"},
        "subject": "s",
        "content": [{"type": "text/plain", "value": "v"}],
    }
    headers = {"Authorization": f"Bearer {credentials.SENDGRID_API_KEY}"}
    async with sim.http.post(f"{sim.url}/sendgrid/v3/mail/send", json=content, headers=headers) as answer:
        return answer.status
