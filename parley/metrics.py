"""What is counted. With PROMETHEUS_MULTIPROC_DIR set, all processes count into one set of files there."""

import os
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY
from prometheus_client.samples import Sample

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    # A process of ours never forks: asking the system who we are at every count takes longer than counting.
    _PID = os.getpid()
    values.ValueClass = values.MultiProcessValue(lambda: _PID)  # type: ignore[no-untyped-call]

REQUESTS = Histogram(
    "parley_http_request_seconds",
    "Time from a request's first byte to its answer's last",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RATE_LIMITED = Counter("parley_rate_limited", "Requests turned away by our own rate limits", ["limit"])
STREAMS = Gauge("parley_streams_open", "Event streams that are open", multiprocess_mode="livesum")
FORGED = Counter("parley_webhooks_forged", "Webhooks whose signature did not hold", ["source"])
UNPARSED = Counter("parley_webhooks_unparsed", "Webhooks kept but not understood", ["source"])

MESSAGES = Counter("parley_messages", "Messages stored", ["direction", "channel"])
REPEATS = Counter("parley_messages_repeated", "Messages that were stored before")
BATCH = Histogram(
    "parley_store_batch_messages", "Messages in one commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
CONVERSATIONS_CREATED = Counter("parley_conversations_created", "Conversations opened")
CONVERSATIONS_REUSED = Counter("parley_conversations_reused", "Messages that joined an open conversation")
CONVERSATIONS_FAILED = Counter("parley_conversations_failures", "Messages that could not be stored")

DISPATCH = Counter("parley_dispatch", "Attempts to send, by their end", ["family", "provider", "outcome"])
BREAKER_TRANSITIONS = Counter(
    "parley_breaker_transitions", "Changes of a breaker's state", ["family", "provider", "to"]
)
BREAKER_OPEN = Gauge(
    "parley_breaker_open",
    "1 while a provider's breaker is open",
    ["provider"],
    multiprocess_mode="mostrecent",
)
CLAIMED = Counter("parley_worker_claimed", "Deliveries claimed")
PROCESSED = Counter("parley_worker_processed", "Outbound messages that reached their end in the worker")
WORKER_ERRORS = Counter("parley_worker_errors", "Unexpected errors in the worker")
DEAD_LETTERS = Counter("parley_worker_dead_letters", "Messages given up after their last attempt")
INVALID_ROUTING = Counter("parley_invalid_routing", "Messages for whose channel no provider is configured")
DISPATCH_SECONDS = Histogram("parley_dispatch_seconds", "Duration of one attempt", ["family"])
DISPATCH_MAX = Gauge(
    "parley_dispatch_max_seconds", "Longest attempt since the start", multiprocess_mode="max"
)

FAMILIES = {"sms": "sms_mms", "mms": "sms_mms", "email": "email"}
"""A channel's name in the metrics: SMS and MMS are carried by the same providers."""


def registry() -> CollectorRegistry:
    """The registry that sees every process of this machine."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    merged = CollectorRegistry()
    MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
    return merged


def as_json() -> dict[str, int]:
    """The flat counters, under the names that the earlier service's clients read."""
    samples = [sample for metric in registry().collect() for sample in metric.samples]
    read = _Reading(samples)
    attempts = read.total("parley_dispatch_seconds_count")
    spent = read.total("parley_dispatch_seconds_sum")
    answer = {
        "ts_unix_ms": time.time_ns() // 1_000_000,
        "rate_limited": int(read.total("parley_rate_limited_total")),
        "breaker_open": int(read.total("parley_breaker_open")),
        **_dispatch(read, "dispatch", {}),
        "breaker_transitions": int(read.total("parley_breaker_transitions_total")),
        "worker_claimed": int(read.total("parley_worker_claimed_total")),
        "worker_processed": int(
            read.total("parley_worker_processed_total")
            + read.total("parley_messages_total", direction="inbound")
        ),
        "worker_error": int(read.total("parley_worker_errors_total")),
        "worker_dead_letter": int(read.total("parley_worker_dead_letters_total")),
        "worker_latency_avg_us": int(spent / attempts * 1e6) if attempts else 0,
        "worker_latency_max_us": int(read.total("parley_dispatch_max_seconds") * 1e6),
        "invalid_routing": int(read.total("parley_invalid_routing_total")),
        "conversations_created": int(read.total("parley_conversations_created_total")),
        "conversations_reused": int(read.total("parley_conversations_reused_total")),
        "conversations_failures": int(read.total("parley_conversations_failures_total")),
    }
    for family in ("sms_mms", "email"):
        answer |= _dispatch(read, f"provider_{family}", {"family": family})
        transitions = read.total("parley_breaker_transitions_total", family=family)
        answer[f"provider_{family}_breaker_transitions"] = int(transitions)
    return answer


def _dispatch(read: "_Reading", prefix: str, labels: dict[str, str]) -> dict[str, int]:
    ends = {
        outcome: int(read.total("parley_dispatch_total", outcome=outcome, **labels))
        for outcome in ("accepted", "throttled", "rejected", "unavailable", "unknown")
    }
    return {
        f"{prefix}_attempts": sum(ends.values()),
        f"{prefix}_success": ends["accepted"],
        f"{prefix}_rate_limited": ends["throttled"],
        f"{prefix}_error": ends["rejected"] + ends["unavailable"] + ends["unknown"],
    }


class _Reading:
    """The samples of one moment, to be summed by name and labels."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def total(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


_requests: dict[tuple[str, str, int], Histogram] = {}


def request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request; looking a labelled child up by a plain tuple is what makes this cheap."""
    key = (method, route, status)
    child = _requests.get(key)
    if child is None:
        child = _requests[key] = REQUESTS.labels(method, route, str(status))
    child.observe(seconds)
