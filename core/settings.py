"""What can be configured, read once from the environment and passed on."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import InvalidInputError


class Settings(BaseSettings):
    """Every setting of Quiver; an environment variable of the same name in capitals sets it."""

    model_config = SettingsConfigDict(frozen=True, env_file=".env", extra="ignore")

    database_url: str | None = Field(
        None, description="PostgreSQL 15 to 18; unset, `quiver up` starts an embedded one"
    )
    redis_url: str | None = Field(
        None, description="Redis 7 or Valkey 8 to 9; unset, `quiver up` starts an embedded one"
    )
    pg_pool_min: int = Field(1, ge=0, description="Connections each process keeps open")
    pg_pool_max: int = Field(10, ge=1, description="Connections each process opens at most")
    api_max_concurrent_requests: int = Field(
        100, ge=1, description="Requests worked on at once by an API process; more wait their turn"
    )
    quiver_admin_token: str | None = Field(
        None, min_length=16, description="Accepted as an admin token beside those in the database"
    )
    quiver_login_s: float = Field(
        43_200, ge=1, description="Seconds after which an operator has to log in again"
    )
    quiver_trusted_proxies: str | None = Field(
        None,
        pattern=r"^(\*|[0-9a-fA-F:./]+(, ?[0-9a-fA-F:./]+)*)$",
        description="Addresses and networks of proxies that are believed whom they forward",
    )
    quiver_api_url: str = Field(
        "http://127.0.0.1:8000", description="Where the command line finds the API"
    )
    quiver_token: str | None = Field(
        None, description="The token that the command line sends to the API"
    )
    quiver_log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level logged"
    )
    quiver_partitions: int = Field(
        64, ge=1, le=1024, description="Streams of the inbox; a target always goes to the same one"
    )
    quiver_inbox_limit: int = Field(
        50_000, ge=1, description="Events a partition holds before the API answers 503"
    )
    quiver_inbox_reopen_at: float = Field(
        0.8, gt=0, le=1, description="Share of that at which a full partition takes events again"
    )
    quiver_inbox_oldest_s: float = Field(
        900, gt=0, description="Seconds an event may wait before its partition takes no more"
    )
    quiver_reader_rate: float = Field(
        200, gt=0, description="Events a second that one reader may send for long; more get 429"
    )
    quiver_reader_burst: int = Field(
        10_000, ge=1_000, description="Events that one reader may send at once after a silence"
    )
    quiver_batch_size: int = Field(
        2_000, ge=1, le=20_000, description="Events a worker takes from a partition at once"
    )
    quiver_reader_offline_after_s: float = Field(
        30, gt=0, description="Seconds of silence after which a reader counts as offline"
    )
    quiver_event_max_age_days: float = Field(
        30, gt=0, description="Older events are refused: a reader's clock is wrong"
    )
    quiver_event_max_ahead_s: float = Field(
        300, gt=0, description="Events further in the future are refused: a reader's clock is wrong"
    )
    quiver_clock_jump_ms: float = Field(
        500, ge=50, description="A reader's clock that moves at once by more was set: it is flagged"
    )
    quiver_clock_implausible_s: float = Field(
        60, gt=0, description="A reader's clock that is further off is flagged"
    )
    quiver_event_body_limit: int = Field(
        1_048_576, ge=1024, description="Bytes of a POST /event at most"
    )
    quiver_body_limit: int = Field(
        16_777_216, ge=1024, description="Bytes of any other request body at most"
    )
    quiver_feed_length: int = Field(
        10_000, ge=10, description="Messages a session's feed keeps for viewers that reconnect"
    )
    quiver_client_queue: int = Field(
        1_000, ge=1, description="Frames queued for a viewer before its oldest are dropped"
    )
    quiver_heartbeat_s: float = Field(
        30, gt=0, description="Seconds between the heartbeat frames of a WebSocket"
    )
    quiver_worker_jobs: int = Field(16, ge=1, description="Jobs a worker runs at once")
    quiver_job_timeout_s: float = Field(30, gt=0, description="Seconds a job may take")
    quiver_job_tries: int = Field(5, ge=1, description="Attempts before a job is called failed")
    quiver_job_backoff_s: float = Field(
        0.5, ge=0, description="Seconds before the first retry; doubles with each, jittered"
    )


def settings_given() -> Settings:
    """What the environment and `.env` say.

    Raises:
        InvalidInputError: One of them makes no sense.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InvalidInputError(str(wrong["loc"][0]).upper(), wrong["msg"]) from error
