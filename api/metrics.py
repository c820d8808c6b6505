"""What Prometheus is told of an API process."""

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The process's measurements, in a registry of its own: two apps in a process do not share
    them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "quiver_request_seconds",
            "Time from a request to its answer",
            ["method", "route", "status"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self.work = Gauge("quiver_work", "Work by state", ["state"], registry=self._registry)
        self.suspect_clocks = Gauge(
            "quiver_suspect_clocks",
            "Readers whose clock an operator should look at",
            ["reason"],
            registry=self._registry,
        )
        self.viewers = Gauge("quiver_viewers", "Viewers of this process", registry=self._registry)

    def text(self) -> tuple[bytes, str]:
        """The measurements as Prometheus reads them, and their content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
