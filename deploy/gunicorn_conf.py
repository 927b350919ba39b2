"""gunicorn's configuration: one worker with threads, the collector started in it after the fork.

The settings are read here once more so that wrong ones end the program before a socket opens.
"""

from gunicorn.workers.base import Worker

from collector import Collector, set_aside_what_stays
from settings import load_settings_or_exit

_settings = load_settings_or_exit()

wsgi_app = "app:create_application()"
bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
threads = _settings.threads
worker_class = "gthread"
# Nothing may be created before the fork, and a worker that is recycled would take the collector with it.
preload_app = False
max_requests = 0
timeout = 60
graceful_timeout = 5
keepalive = 15
# One path per user by default: two instances would fight for it.
control_socket_disable = True
loglevel = _settings.log_level.lower()


def post_worker_init(worker: Worker) -> None:
    """Start the embedded collector, in the process that serves."""
    set_aside_what_stays()
    collector = _collector(worker)
    if collector is not None:
        collector.start()


def worker_exit(_server: object, worker: Worker) -> None:
    """Stop the embedded collector, so that a batch is finished and channels are closed."""
    collector = _collector(worker)
    if collector is not None:
        collector.stop(timeout_s=5.0)


def _collector(worker: Worker) -> Collector | None:
    application = getattr(worker, "wsgi", None)
    found: Collector | None = application.extensions.get("collector") if application is not None else None
    return found
