"""Blocks: secrets, own classes, blocks within blocks, storage of results, and what workers do with them."""

import uuid
from typing import Dict, Optional

import pytest
from conftest import NEW, VERSION, cli, deploy, eventually, run, worker
from prefect import flow, get_run_logger, task
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.filesystems import LocalFileSystem
from prefect.variables import Variable
from pydantic import SecretStr


class Inner(Block):
    _block_type_name = "Case Inner"
    _block_type_slug = "case-inner"
    key: SecretStr
    host: str = "h"


class Outer(Block):
    """An outer block."""

    _block_type_name = "Case Outer"
    _block_type_slug = "case-outer"
    _block_schema_capabilities = ["case-capability"]
    inner: Inner
    opt: Optional[Inner] = None
    many: Dict[str, SecretStr] = {}
    ratio: float = 1.0
    n: int = 1


def stored(api, slug, name, secrets=True):
    return api.get(f"/block_types/slug/{slug}/block_documents/name/{name}?include_secrets={str(secrets).lower()}")


def test_secret(api, name):
    Secret(value="hush").save(name)
    assert Secret.load(name).get() == "hush"
    assert stored(api, "secret", name, secrets=False)["data"] == {"value": "********"}


def test_secret_object(api, name):
    Secret(value={"user": "me", "password": "hush"}).save(name)
    assert Secret.load(name).get() == {"user": "me", "password": "hush"}
    assert "hush" not in str(stored(api, "secret", name, secrets=False))


def test_overwrite(name):
    Secret(value="one").save(name)
    with pytest.raises(ValueError, match="already in use"):
        Secret(value="two").save(name)
    assert Secret.load(name).get() == "one"
    Secret(value="two").save(name, overwrite=True)
    assert Secret.load(name).get() == "two"


def test_delete(name):
    Secret(value="x").save(name)
    Secret.delete(name)
    with pytest.raises(ValueError, match="Unable to find block document"):
        Secret.load(name)


def test_bad_name():
    with pytest.raises(Exception, match="lowercase letters, numbers, and dashes|must only contain"):
        Secret(value="x").save("Bad_Name")


def test_builtin_types_are_there(api, name):
    """No client has to register them: their schemas are found by its own checksums."""
    for block in (Secret, Webhook, LocalFileSystem):
        kind = api.get(f"/block_types/slug/{block._to_block_type().slug}")
        assert kind["is_protected"]
        found = api.get(f"/block_schemas/checksum/{block._calculate_schema_checksum()}?version={VERSION}")
        assert found["block_type_id"] == kind["id"]


@pytest.mark.skipif(NEW, reason="3.8.8 has no JSON and DateTime blocks")
def test_json_and_date_time(name):
    from datetime import datetime, timezone

    from prefect.blocks.system import JSON, DateTime

    JSON(value={"a": [1, 2.5, None]}).save(name)
    assert JSON.load(name).value == {"a": [1, 2.5, None]}
    at = datetime(2026, 11, 25, 3, 0, tzinfo=timezone.utc)
    DateTime(value=at).save(name)
    assert DateTime.load(name).value == at


def test_webhook(api, name):
    Webhook(url="http://127.0.0.1:1/hook", method="PUT", headers={"Authorization": "Bearer t"}).save(name)
    w = Webhook.load(name)
    assert w.url.get_secret_value() == "http://127.0.0.1:1/hook" and w.headers.get_secret_value() == {"Authorization": "Bearer t"}
    assert stored(api, "webhook", name, secrets=False)["data"] | {"method": 0} == stored(api, "webhook", name)["data"] | {
        "method": 0, "url": "********", "headers": {"Authorization": "********"}}


def test_local_file_system(name, tmp_path):
    LocalFileSystem(basepath=str(tmp_path)).save(name)
    fs = LocalFileSystem.load(name)
    fs.write_path("a/b.txt", b"content")
    assert fs.read_path("a/b.txt") == b"content" and (tmp_path / "a" / "b.txt").read_text() == "content"


def test_register_twice():
    Outer.register_type_and_schema()
    before = Outer._block_schema_id
    Outer._block_schema_id = Outer._block_type_id = None
    Outer.register_type_and_schema()
    assert before == Outer._block_schema_id


def test_checksums_agree(api):
    Outer.register_type_and_schema()
    for block in (Outer, Inner):
        s = api.get(f"/block_schemas/checksum/{block._calculate_schema_checksum()}")
        assert s["checksum"] == block._calculate_schema_checksum(s["fields"]) == block._calculate_schema_checksum()


def test_block_within_block(api, name):
    inner = Inner(key="deep")
    inner.save(name)
    Outer(inner=inner, many={"a": "first"}, ratio=0.5).save(name)
    got = Outer.load(name)
    assert got.inner.key.get_secret_value() == "deep" and got.many["a"].get_secret_value() == "first" and got.ratio == 0.5
    assert got.inner._block_document_id == inner._block_document_id
    assert stored(api, "case-outer", name, secrets=False)["data"]["inner"] == {"key": "********", "host": "h"}
    Inner(key="changed").save(name, overwrite=True)
    assert Outer.load(name).inner.key.get_secret_value() == "changed"


def test_block_within_block_is_kept_by_a_save(api, name):
    inner = Inner(key="deep")
    inner.save(name)
    outer = Outer(inner=inner)
    outer.save(name)
    loaded = Outer.load(name)
    loaded.n = 5
    loaded.save(name, overwrite=True)
    got = stored(api, "case-outer", name)
    assert got["data"]["n"] == 5 and got["block_document_references"]["inner"]["block_document"]["name"] == name


def test_block_within_block_without_a_name(name):
    Outer(inner=Inner(key="own")).save(name)
    assert Outer.load(name).inner.key.get_secret_value() == "own"


def test_load_by_type_and_name(name):
    Secret(value="x").save(name)
    assert Block.load(f"secret/{name}").get() == "x"


def test_older_schema_still_loads(name):
    class Old(Block):
        _block_type_name = "Case Changing"
        _block_type_slug = "case-changing"
        a: int = 1

    Old(a=2).save(name)

    class New(Block):
        _block_type_name = "Case Changing"
        _block_type_slug = "case-changing"
        a: int = 1
        b: str = "new"

    got = New.load(name)
    assert got.a == 2 and got.b == "new"
    got.save(name, overwrite=True)
    assert New.load(name).b == "new"


def test_client_lists(api, name):
    Secret(value="listed").save(name)
    import asyncio

    async def ask():
        async with get_client() as c:
            types = {t.slug for t in await c.read_block_types()}
            docs = await c.read_block_documents(include_secrets=False)
            of_type = await c.read_block_documents_by_type("secret")
            return types, docs, of_type

    types, docs, of_type = asyncio.run(ask())
    assert {"secret", "webhook", "local-file-system"} <= types
    assert name in [d.name for d in docs] and name in [d.name for d in of_type]
    assert all("listed" not in str(d.data) for d in docs)


def test_capabilities(api):
    Outer.register_type_and_schema()
    assert {"case-capability", "read-path", "write-path"} <= set(api.get("/block_capabilities/"))
    types = api.post("/block_types/filter", {"block_schemas": {"block_capabilities": {"all_": ["case-capability"]}}})
    assert [t["slug"] for t in types] == ["case-outer"]


def test_load_within_a_flow(name, tmp_path):
    LocalFileSystem(basepath=str(tmp_path)).save(name)

    @flow(name=name)
    def f():
        return LocalFileSystem.load(name).basepath

    assert f() == str(tmp_path)


def test_cli(api, name):
    Secret(value="shown").save(name)
    assert name in cli("block", "ls") and "local-file-system" in cli("block", "type", "ls")
    out = cli("block", "inspect", f"secret/{name}")
    assert "********" in out and "shown" not in out
    assert "catalog/secret/create" in cli("block", "create", "secret").replace("\n", "")
    assert "not found" in cli("block", "inspect", f"secret/none-{name}", code=1)
    cli("block", "delete", f"secret/{name}")
    assert name not in cli("block", "ls")


def test_cli_register(tmp_path, name):
    slug = "regd-" + uuid.uuid4().hex[:6]
    (tmp_path / "regd.py").write_text(f"from prefect.blocks.core import Block\nclass Regd(Block):\n    _block_type_name = '{slug}'\n    x: int = 1\n")
    assert "Successfully registered 1 block" in run("block", "register", "-f", str(tmp_path / "regd.py"))
    assert "type: integer" in cli("block", "type", "inspect", slug)
    assert f"Deleted Block Type '{slug}'" in cli("block", "type", "delete", slug, input="y").replace("\n", "")
    assert "protected" in cli("block", "type", "delete", "secret", input="y", code=1)


def test_secrets_are_masked_in_logs(api, name):
    Secret(value="never-in-logs").save(name)

    @flow(name=name, log_prints=True)
    def f():
        s = Secret.load(name).get()
        get_run_logger().info("it is %s", s)
        print({"password": s})
        raise ValueError("refused " + s)

    with pytest.raises(ValueError):
        f()
    (r,) = api.post("/flow_runs/filter", {"flows": {"name": {"any_": [name]}}})
    lines = eventually(lambda: (l := api.logs(r["id"])) and len(l) >= 4 and l)
    assert "it is ********" in lines and any("{'password': '********'}" in l for l in lines), lines
    assert "never-in-logs" not in str(lines) + str(api.run_state(r["id"])["message"])


def test_persisted_result(api, name, tmp_path):
    LocalFileSystem(basepath=str(tmp_path)).save(name)

    @task(persist_result=True)
    def t(x):
        return x * 2

    @flow(name=name, persist_result=True, result_storage=f"local-file-system/{name}")
    def f():
        return t(21)

    state = f(return_state=True)
    assert state.result() == 42 and len(list(tmp_path.iterdir())) == 2
    (r,) = api.post("/flow_runs/filter", {"flows": {"name": {"any_": [name]}}})
    assert r["state"]["data"]["storage_block_id"] == stored(api, "local-file-system", name)["id"]
    with get_client(sync_client=True) as c:
        assert c.read_flow_run(r["id"]).state.result() == 42


def test_default_result_storage(name, tmp_path, project):
    LocalFileSystem(basepath=str(tmp_path / "results")).save(name)
    (project / "one.py").write_text("from prefect import flow\n@flow(persist_result=True)\ndef f():\n    return 7\nprint('got', f())\n")
    import os
    import subprocess
    import sys

    env = {**os.environ, "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK": f"local-file-system/{name}"}
    out = subprocess.run([sys.executable, "one.py"], cwd=project, env=env, text=True, capture_output=True, timeout=60)
    assert "got 7" in out.stdout, out.stderr
    assert len(list((tmp_path / "results").iterdir())) == 1


def test_worker_fills_job_variables(api, name, pool, project):
    Secret(value="for-the-worker").save(name)
    var = name.replace("-", "_")
    Variable.set(var, "salve")
    (project / "flows.py").write_text(
        "import os\nfrom prefect import flow\n@flow(log_prints=True)\ndef env_flow():\n"
        "    print('token', len(os.environ['TOKEN']), os.environ['TOKEN'], os.environ['GREETING'])\n")
    full = deploy(project, pool, "flows.py:env_flow", name=name)
    dep = api.get(f"/deployments/name/{full}")["id"]
    # `prefect deploy` itself would put the values in place of the names
    api("PATCH", f"/deployments/{dep}", {"job_variables": {"env": {
        "TOKEN": "{{ prefect.blocks.secret.%s }}" % name, "GREETING": "{{ prefect.variables.%s }}" % var}}})
    run_id = api.post(f"/deployments/{dep}/create_flow_run")["id"]
    with worker(pool, "--run-once", cwd=project):
        api.wait(run_id, "COMPLETED")
        # while the worker is there: its end would take the engine's last logs with it
        eventually(lambda: "token 14 ******** salve" in api.logs(run_id))


def test_flowlite_worker_fills_job_variables(api, name, project):
    """The same by flowlite's own worker, of the pool default."""
    Secret(value="for-the-worker").save(name)
    flow_id = api.post("/flows/", {"name": name})["id"]
    d = api.post("/deployments/", {"name": "d", "flow_id": flow_id, "work_pool_name": "default", "parameter_openapi_schema": {},
                                   "job_variables": {"command": "echo ${#TOKEN} $TOKEN", "env": {"TOKEN": "{{ prefect.blocks.secret.%s }}" % name}}})
    run_id = api.post(f"/deployments/{d['id']}/create_flow_run")["id"]
    api.wait(run_id, "COMPLETED")
    eventually(lambda: "14 ********" in api.logs(run_id))


def test_deployment_storage_must_exist(api, name):
    flow_id = api.post("/flows/", {"name": name})["id"]
    body = {"name": "d", "flow_id": flow_id, "storage_document_id": str(uuid.uuid4())}
    api.post("/deployments/", body, status=409)
    Secret(value="x").save(name)
    api.post("/deployments/", body | {"storage_document_id": stored(api, "secret", name)["id"]}, status=201)


@pytest.mark.skipif(not NEW, reason="3.4.9 does not ask the server for a storage of results")
def test_default_result_storage_of_the_server(api, name, tmp_path):
    fs = LocalFileSystem(basepath=str(tmp_path))
    fs.save(name)
    storage = lambda *args: cli("experimental", "result-storage", *args)
    assert "No default result storage" in storage("inspect")
    storage("set", f"local-file-system/{name}")
    try:
        assert name in storage("inspect")

        @flow(name=name, persist_result=True)
        def f():
            return 7

        assert f() == 7 and len(list(tmp_path.iterdir())) == 1
    finally:
        storage("clear")
    assert api.get("/admin/storage") == {"default_result_storage_block_id": None}
