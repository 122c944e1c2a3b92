"""One suite for every store of sealed recordings: a folder, and an S3-compatible server over HTTP (P2)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from calls.custody import Leg
from calls.errors import CustodyError, SettingsError
from calls.ids import CallId
from recordings.store import FolderStore, RemoteStore, Store, place_of, store_of

PLACE = place_of(CallId("hotline-1.2"), Leg.AGENT, datetime(2026, 11, 23, tzinfo=UTC))
OTHER = place_of(CallId("hotline-1.2"), Leg.CALLER, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "vault")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    options = {"endpoint_url": request.getfixturevalue("s3"), "use_listings_cache": False}
    bucket = f"b{abs(hash(tmp_path)):x}"
    store = RemoteStore(f"s3://{bucket}/hotline", options)
    store._files.mkdir(bucket)
    return store


def body_of(store: Store, place: str) -> bytes:
    with store.open(place) as file:
        return file.read()


def test_what_is_put_is_read_from_anywhere(store: Store) -> None:
    body = bytes(range(256)) * 500
    store.put(PLACE, io.BytesIO(body))
    with store.open(PLACE) as file:
        file.seek(100_000)
        assert file.read(10) == body[100_000:100_010]
        assert file.seek(0, io.SEEK_END) == len(body)


def test_putting_again_replaces(store: Store) -> None:
    store.put(PLACE, io.BytesIO(b"one"))
    store.put(PLACE, io.BytesIO(b"another"))
    assert body_of(store, PLACE) == b"another"
    assert list(store.places()) == [PLACE]


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        body_of(store, PLACE)
    store.delete(PLACE)


def test_deleting_takes_one_object(store: Store) -> None:
    for place in (PLACE, OTHER):
        store.put(place, io.BytesIO(b"sound"))
    store.delete(PLACE)
    assert list(store.places()) == [OTHER]


def test_a_reader_that_fails_leaves_the_earlier_object(store: Store) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    store.put(PLACE, io.BytesIO(b"sound"))
    with pytest.raises(CustodyError, match="No space left"):
        store.put(PLACE, Breaks())
    assert body_of(store, PLACE) == b"sound"
    assert list(store.places()) == [PLACE]


def test_a_folder_of_a_day_is_never_long() -> None:
    places = {place_of(CallId(f"hotline-{n}.1"), Leg.AGENT, datetime(2026, 1, 2, tzinfo=UTC)) for n in range(5000)}
    assert len(places) == 5000
    assert len({place.split("/")[3] for place in places}) == 256


def test_a_url_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        store_of("nonsense://x", tmp_path)
