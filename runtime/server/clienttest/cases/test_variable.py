"""Variables and artifacts, from flows and from the command line."""

import json
import uuid

import pytest
from conftest import cli
from prefect import flow, task
from prefect.artifacts import Artifact, create_link_artifact, create_markdown_artifact, create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.variables import Variable


@pytest.fixture
def var():
    return "v_" + uuid.uuid4().hex[:8]


@pytest.mark.parametrize("value", ["text", 7, 1.5, True, None, [1, "a"], {"a": {"b": [1]}}])
def test_values(var, value):
    Variable.set(var, value)
    assert Variable.get(var, default="missing") == value


def test_missing_variable(var):
    assert Variable.get(var) is None and Variable.get(var, default=3) == 3


def test_set_twice_needs_overwrite(var):
    Variable.set(var, 1)
    with pytest.raises(ValueError, match="already exists"):
        Variable.set(var, 2)
    Variable.set(var, 2, overwrite=True, tags=["t"])
    assert Variable.get(var) == 2


def test_unset(var):
    Variable.set(var, 1)
    assert Variable.unset(var) is True and Variable.get(var) is None and Variable.unset(var) is False


def test_commands(var):
    assert "Set variable" in cli("variable", "set", var, "hello", "--tag", "blue")
    assert "hello" in cli("variable", "get", var)
    assert var in cli("variable", "ls") and "blue" in cli("variable", "inspect", var)
    assert "already exists" in cli("variable", "set", var, "again", code=1)
    cli("variable", "set", var, "again", "--overwrite")
    assert "again" in cli("variable", "get", var)
    cli("variable", "unset", var, input="y\n")
    assert "not found" in cli("variable", "get", var, code=1)


def test_json_from_the_command_line(api, var):
    cli("variable", "set", var, '{"a": [1, 2]}')
    assert Variable.get(var) == {"a": [1, 2]}


def test_bad_name(api):
    api("POST", "/variables/", {"name": "Not a name!", "value": 1}, status=422)


def test_markdown(api, name):
    @flow(name=name)
    def f():
        return create_markdown_artifact("# hello", key=name, description="words")

    artifact_id = f()
    a = api.get(f"/artifacts/{artifact_id}")
    assert a["type"] == "markdown" and a["data"] == "# hello" and a["description"] == "words" and a["flow_run_id"]
    assert api.get(f"/artifacts/{name}/latest")["data"] == "# hello"


def test_table_of_a_task(api, name):
    @task
    def t():
        return create_table_artifact([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], key=name)

    @flow(name=name)
    def f():
        return t()

    a = api.get(f"/artifacts/{f()}")
    assert a["type"] == "table" and json.loads(a["data"])[1]["b"] == "y" and a["task_run_id"] and a["flow_run_id"]


def test_link(api, name):
    assert "http://example.test" in api.get(f"/artifacts/{create_link_artifact('http://example.test', key=name, link_text='there')}")["data"]


def test_progress(api, name):
    artifact_id = create_progress_artifact(10.0, key=name)
    update_progress_artifact(artifact_id, progress=80.0)
    a = api.get(f"/artifacts/{artifact_id}")
    assert a["type"] == "progress" and a["data"] == 80.0


def test_versions_of_a_key(api, name):
    first, second = create_markdown_artifact("1", key=name), create_markdown_artifact("2", key=name)
    assert Artifact.get(name).data == "2"
    rows = api.post("/artifacts/filter", {"artifacts": {"key": {"any_": [name]}}})
    assert {r["id"] for r in rows} == {str(first), str(second)}
    (latest,) = api.post("/artifacts/latest/filter", {"artifacts": {"key": {"any_": [name]}}})
    assert latest["latest_id"] == str(second)


def test_get_or_create(name):
    found, made = Artifact.get_or_create(key=name, description="d", data="x")
    again, made_again = Artifact.get_or_create(key=name, description="d", data="y")
    assert made and not made_again and again.id == found.id and "x" in again.data


def test_artifact_commands(api, name):
    create_markdown_artifact("# shown", key=name)
    assert name in cli("artifact", "ls")
    assert "# shown" in cli("artifact", "inspect", name)
    cli("artifact", "delete", name, input="y\n")
    assert api.post("/artifacts/filter", {"artifacts": {"key": {"any_": [name]}}}) == []


def test_delete_by_id(api, name):
    artifact_id = create_markdown_artifact("x", key=name)
    cli("artifact", "delete", "--id", artifact_id, input="y\n")
    api("GET", f"/artifacts/{artifact_id}", status=404)
