"""Every filter that a client can send is understood, whatever fields its version has."""

import typing

import prefect.client.schemas.filters as filters
import prefect.client.schemas.sorting as sorting
import pytest

KINDS = {
    "flows": filters.FlowFilter, "flow_runs": filters.FlowRunFilter, "task_runs": filters.TaskRunFilter, "deployments": filters.DeploymentFilter,
    "work_pools": filters.WorkPoolFilter, "work_queues": filters.WorkQueueFilter, "logs": filters.LogFilter, "artifacts": filters.ArtifactFilter,
    "variables": filters.VariableFilter, "block_types": filters.BlockTypeFilter, "block_schemas": filters.BlockSchemaFilter, "block_documents": filters.BlockDocumentFilter,
}


def empty(model):
    return {n: "and_" if n == "operator" else None for n in model.model_fields}


def nested(model):
    """Each field filter there, each of its keys null, or x where the client requires text."""
    out = {}
    for n, f in model.model_fields.items():
        inner = [a for a in typing.get_args(f.annotation) if isinstance(a, type) and hasattr(a, "model_fields")]
        out[n] = {k: "x" if v.annotation is str else None for k, v in inner[0].model_fields.items() if k != "operator"} if inner else None
        if n == "operator":
            out[n] = "and_"
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_fields(api, kind):
    for shape in (empty, nested):
        assert isinstance(api.post(f"/{kind}/filter", {kind: shape(KINDS[kind])}), list)


@pytest.mark.parametrize("kind", ["flows", "task_runs", "deployments", "work_pools", "work_queues"])
def test_across_entities(api, kind):
    key = "work_pool_queues" if kind == "work_queues" else kind
    for shape in (empty, nested):
        assert isinstance(api.post("/flow_runs/filter", {key: shape(KINDS[kind])}), list)


@pytest.mark.parametrize("kind,sort", [
    ("flows", sorting.FlowSort), ("flow_runs", sorting.FlowRunSort), ("task_runs", sorting.TaskRunSort), ("deployments", sorting.DeploymentSort),
    ("logs", sorting.LogSort), ("artifacts", sorting.ArtifactSort), ("variables", sorting.VariableSort)])
def test_sorts(api, kind, sort):
    for s in sort:
        if s.value.startswith("CONCURRENCY_LIMIT"):  # clients have it, Prefect's own server refuses it
            continue
        assert isinstance(api.post(f"/{kind}/filter", {"sort": s.value}), list), s


@pytest.mark.parametrize("limit,status", [(0, 200), (200, 200), (201, 422), (-1, 422), (1.5, 422), ("many", 422)])
def test_limits(api, limit, status):
    rows = api("POST", "/flow_runs/filter", {"limit": limit}, status=status)
    assert status != 200 or len(rows) <= limit


def test_unknown_filter_key(api):
    body = api("POST", "/flow_runs/filter", {"flow_runs": {"colour": {"any_": ["red"]}}}, status=422)
    assert body["exception_detail"][0]["type"] == "extra_forbidden" and body["exception_detail"][0]["loc"][-1] == "colour"


def test_not_json(api):
    res = api.http.post(api.http.base_url.join("/api/flow_runs/filter"), content=b"{not json", headers={"Content-Type": "application/json"})
    assert res.status_code == 422, res.text


def test_bad_uuid_in_a_body(api):
    api("POST", "/flow_runs/filter", {"flow_runs": {"id": {"any_": ["nobody"]}}}, status=422)


def test_bad_uuid_in_a_path(api):
    assert api("GET", "/flow_runs/nobody", status=404) == {"detail": "Not Found"}
