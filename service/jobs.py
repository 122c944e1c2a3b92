"""The queue of jobs between the service and its workers: Celery, on a file of SQLite or on a broker of your own.

A job is only a hint. What is owed stands in the database; a job that is lost is sent again, one that is told
twice is done once. So a broker that forgets what a killed worker held, as the one on SQLite does, loses nothing.
"""

from __future__ import annotations

from celery import Celery

from calls.ids import CallId
from service.settings import Settings
from storage.work import Work

TASK = "sansheng.transcribe"


def celery_of(settings: Settings) -> Celery:
    """The application: the same for who sends and who works."""
    url = settings.transcription.broker_url
    if not url:
        url = f"sqla+sqlite:///{settings.var_dir / 'jobs.db'}"
    app = Celery("sansheng", broker=url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        task_publish_retry=False,
    )
    return app


def send(app: Celery, work: Work) -> None:
    """Tell workers of a leg. Blocks; raises whatever the broker's library raises."""
    app.send_task(TASK, args=(str(CallId(work.call_id)), work.leg.value, work.is_suspect, work.error is not None))
