"""A client finds the server and agrees with it."""

import asyncio
import logging

import httpx
import pytest
from conftest import API, VERSION, cli
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL


def test_health(api):
    assert api.get("/health") is True


def test_ready(api):
    assert api.get("/ready")["message"] == "OK"


def test_version_command():
    out = cli("version")
    assert VERSION in out and "Server type:" in out and "server" in out


def test_client_reads_api_version():
    with get_client(sync_client=True) as client:
        assert client.api_version() == VERSION
        client.raise_for_api_version_mismatch()


def test_async_client():
    async def main():
        async with get_client() as client:
            assert await client.api_healthcheck() is None
            return await client.api_version()

    assert asyncio.run(main()) == VERSION


def test_server_is_not_older(caplog):
    """Newer clients check the server before they open a websocket, without saying their version."""
    checking = pytest.importorskip("prefect._internal.version_checking", reason="3.4.9 checks over HTTP only")
    checking._clear_api_version_check_cache()
    asyncio.run(checking.check_server_version(API, logging.getLogger("check")))
    assert "older version" not in caplog.text


def test_hello():
    with get_client(sync_client=True) as client:
        assert client.hello().json() == "👋"


def test_csrf_is_off():
    res = httpx.get(f"{API}/csrf-token?client=00000000-0000-4000-8000-000000000001")
    assert res.status_code == 422 and "CSRF protection is disabled" in res.json()["detail"]


def test_object_not_found():
    with get_client(sync_client=True) as client, pytest.raises(ObjectNotFound):
        client.read_flow_run("00000000-0000-4000-8000-000000000001")


def test_old_api_version_is_refused():
    res = httpx.get(f"{API}/version", headers={"X-PREFECT-API-VERSION": "0.3.0"})
    assert res.status_code == 400, res.text


def test_missing_slash_redirects():
    res = httpx.post(f"{API}/flows", json={"name": "x"})
    assert res.status_code == 307 and res.headers["location"].endswith("/api/flows/")


def test_config_view():
    assert PREFECT_API_URL.value() == API
    assert API in cli("config", "view", "--show-sources")


def test_config_set_and_unset():
    assert "PREFECT_UI_URL" in cli("config", "set", "PREFECT_UI_URL=http://elsewhere")
    assert "Unset" in cli("config", "unset", "PREFECT_UI_URL", "-y")


def test_profiles():
    cli("profile", "create", "here")
    assert "here" in cli("profile", "ls")
    cli("profile", "delete", "here", input="y\n")


def test_gzip_is_spoken():
    res = httpx.post(f"{API}/flows/filter", json={}, headers={"Accept-Encoding": "gzip"})
    assert res.status_code == 200
