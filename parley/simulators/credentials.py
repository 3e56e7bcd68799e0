"""The credentials that the simulators take. They open nothing real: each is published here and derived from a sentence."""

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def _seed(purpose: str) -> bytes:
    return sha256(f"parley simulator only, not a secret: {purpose}".encode()).digest()


TWILIO_ACCOUNT_SID = "AC" + _seed("twilio account").hex()[:32]
TWILIO_AUTH_TOKEN = "simulator-only-twilio-auth-token"  # noqa: S105
TWILIO_API_KEY_SID = "SK" + _seed("twilio api key").hex()[:32]
TWILIO_API_KEY_SECRET = "simulator-only-twilio-key-secret"  # noqa: S105

SENDGRID_API_KEY = "SG.simulator-only.not-a-secret"
SENDGRID_INBOUND_TOKEN = "simulator-only-inbound-token"  # noqa: S105
SENDGRID_SIGNING_KEY = derive_private_key(int.from_bytes(_seed("sendgrid events")), SECP256R1())
SENDGRID_PUBLIC_KEY = b64encode(
    SENDGRID_SIGNING_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()

TELNYX_API_KEY = "KEY-simulator-only-not-a-secret"
TELNYX_SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(_seed("telnyx webhooks"))
TELNYX_PUBLIC_KEY = b64encode(
    TELNYX_SIGNING_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()

SMTP_USERNAME = "simulator"
SMTP_PASSWORD = "simulator-only-smtp-password"  # noqa: S105
