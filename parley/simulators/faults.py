"""Decides what goes wrong: by scenario first, else by dice that fall the same way for the same seed."""

from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import Any, get_args

import msgspec
import structlog

from parley.core.errors import Invalid
from parley.simulators.config import Fault, Faults, Knobs, VendorName

_log = structlog.get_logger("parley.simulators")

CHANNEL_GROUPS: dict[VendorName, str] = {
    "twilio": "sms",
    "telnyx": "sms",
    "sendgrid": "email",
    "smtp": "email",
}
VENDORS: tuple[VendorName, ...] = get_args(VendorName)

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(Knobs.__struct_fields__, 0.0),
    "retry_after_secs": 1,
    "down": False,
    "scenario": (),
    "seed": 1,
}
_SHARES: tuple[tuple[str, Fault], ...] = (
    ("error_pct", "error"),
    ("ratelimit_pct", "ratelimit"),
    ("timeout_pct", "silence"),
    ("refuse_pct", "refuse"),
    ("drop_pct", "drop"),
)


class VendorFaults:
    """The faults of one vendor, resolved: what its next request and its callbacks will suffer."""

    def __init__(
        self,
        vendor: VendorName,
        knobs: dict[str, Any],
        scenarios: Sequence[deque[Fault]],
        injected: Counter[str],
    ) -> None:
        self._vendor = vendor
        self._knobs = knobs
        self._scenarios = scenarios
        self._injected = injected
        # Two dice, so that the number of callbacks does not shift what happens to requests.
        self._dice = Random(f"{knobs['seed']}:{vendor}")  # noqa: S311
        self._callback_dice = Random(f"{knobs['seed']}:{vendor}:callbacks")  # noqa: S311
        self.down: bool = knobs["down"]
        self.slow_secs: float = knobs["slow_ms"] / 1000
        self.retry_after: int = knobs["retry_after_secs"]

    def draw(self) -> Fault:
        """What happens to the next message handed over."""
        return self._planned() or self._diced()

    def note(self, kind: str) -> None:
        """Count an injected fault and say so."""
        self._injected[kind] += 1
        _log.info("fault", vendor=self._vendor, kind=kind, mock=True)

    def schedule(self, moments: Sequence[float]) -> list[list[float]]:
        """When each of a message's callbacks goes out: at its moment, not at all, twice, late or in reverse."""
        if self._hits("callback_reordered_pct") and len(moments) > 1:
            self.note("callback_reordered")
            moments = moments[::-1]
        if late := self._knobs["callback_late_ms"] / 1000:
            self.note("callback_late")
        return [self._copies(moment + late) for moment in moments]

    def _copies(self, moment: float) -> list[float]:
        if self._hits("callback_lost_pct"):
            self.note("callback_lost")
            return []
        if self._hits("callback_doubled_pct"):
            self.note("callback_doubled")
            return [moment, moment]
        return [moment]

    def _hits(self, knob: str) -> bool:
        share: float = self._knobs[knob]
        return share > 0 and self._callback_dice.random() * 100 < share

    def _planned(self) -> Fault | None:
        return next((steps.popleft() for steps in self._scenarios if steps), None)

    def _diced(self) -> Fault:
        throw = self._dice.random() * 100
        for knob, fault in _SHARES:
            throw -= self._knobs[knob]
            if throw < 0:
                bare = fault == "ratelimit" and self._dice.random() < 0.5
                return "ratelimit_bare" if bare else fault
        return "ok"


class FaultPlan:
    """The faults in force; a new plan replaces the old one and starts its dice anew."""

    def __init__(self, faults: Faults) -> None:
        self.injected: Counter[str] = Counter()
        self.use(faults)

    def use(self, faults: Faults) -> None:
        """Replace the plan; raises `Invalid` when a vendor's shares exceed the whole."""
        resolved = {vendor: _resolve(faults, vendor) for vendor in VENDORS}
        for vendor, knobs in resolved.items():
            if sum(knobs[knob] for knob, _ in _SHARES) > 100:
                raise Invalid.field("error_pct", f"the faults of {vendor} add up to more than 100")
        scenarios = {name: deque(circle.scenario or ()) for name, circle in _circles(faults)}
        self._faults = faults
        self._scenarios = scenarios
        self._vendors = {
            vendor: VendorFaults(
                vendor,
                knobs,
                [scenarios[name] for name in (vendor, CHANNEL_GROUPS[vendor], "") if name in scenarios],
                self.injected,
            )
            for vendor, knobs in resolved.items()
        }

    def of(self, vendor: VendorName) -> VendorFaults:
        """The faults of one vendor."""
        return self._vendors[vendor]

    def shown(self) -> Faults:
        """The plan as it stands, scenarios as far as they are still to come."""
        inner = {
            name: msgspec.structs.replace(circle, scenario=tuple(self._scenarios[name]) or None)
            for name, circle in _circles(self._faults)
            if name
        }
        given = {
            name: getattr(self._faults, name)
            for name in Knobs.__struct_fields__
            if getattr(self._faults, name) is not None
        }
        return Faults(**{**_DEFAULTS, **given, "scenario": tuple(self._scenarios[""]), **inner})


def _circles(faults: Faults) -> list[tuple[str, Knobs]]:
    names = (*VENDORS, *dict.fromkeys(CHANNEL_GROUPS.values()))
    inner = [(name, circle) for name in names if (circle := getattr(faults, name)) is not None]
    return [("", faults), *inner]


def _resolve(faults: Faults, vendor: VendorName) -> dict[str, Any]:
    circles = (getattr(faults, vendor), getattr(faults, CHANNEL_GROUPS[vendor]), faults)
    return {
        knob: next(
            (value for circle in circles if circle and (value := getattr(circle, knob)) is not None), default
        )
        for knob, default in _DEFAULTS.items()
    }
