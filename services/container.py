"""What pages and the API can call: all services of one app, built once in `app.py`."""

from dataclasses import dataclass

from services.accounts.service import AccountService
from services.audit.trail import AuditTrail
from services.live import LiveService
from services.platform_health import HealthService


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one app. Each is stateless or guards its own small caches; all meet in the database."""

    accounts: AccountService
    audit: AuditTrail
    live: LiveService
    health: HealthService
