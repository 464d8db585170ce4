"""Prints what the pydantic of Prefect 3.4.9 makes of values that clients send, one a line: type, input, and the
result, or the type and place of each fault.

    python values.py > ../wire_values.txt   # with the Python of a Prefect 3.4.9
"""
import datetime, enum, json, uuid, warnings
from typing import Any, Dict, List, Literal, Optional, Set, Tuple, Union

warnings.simplefilter("ignore")
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, StrictInt, StrictFloat
from prefect.types import DateTime
from prefect.server.events.filters import EventRelatedFilter
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.schemas.actions import DeploymentScheduleCreate, LogCreate, TaskRunCreate
from prefect.server.schemas.filters import FlowRunFilter, FlowFilter
from prefect.server.schemas.states import StateType

U = "00000000-0000-0000-0000-00000000000"
NUMERALS = ["3", " 3 ", "+3", "-3", "03", "3.0", "3.", "3.5", "1_000", "1__0", "_1", "1e3", "1E2", "", " ", "x", "0x10", "٣", "9223372036854775807", "-9223372036854775808", "-0", "0.1", ".5", "NaN"]
WRONG = [None, True, False, [], {}, [1], {"a": 1}]
NUMBERS = [0, 1, 2, -1, 3, 3.0, 3.5, -0.0, 1e3, 2**31, 2**53, 2**62, 0.1, 1e15]
WORDS = ["0", "1", "on", "off", "ON", "Off", "t", "f", "T", "true", "True", "TRUE", "false", "FALSE", "y", "n", "yes", "NO", "2", " true", "1.0"]
TIMES = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05z", "2026-01-02t03:04:05Z", "2026-01-02 03:04:05Z", "2026-01-02_03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04", "2026-01-02T03:04Z", "2026-01-02T03:04:05+05:30",
         "2026-01-02T03:04:05-0530", "2026-01-02T03:04:05+05", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05,5Z", "2026-01-02", "20260102", "20260102T030405Z",
         "20260102T030405", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z", "2026-02-30", "2024-02-29", "2026-01-02T25:04:05Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
         "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", " 2026-01-02", "2026-01-02T03:04:05 Z", "2026-01-02T03:04:05 +05:30", "2026-01-02T", "2026-1-2", "2026-01", "2026", "1767323045", "1767323045.5", "1767323045000", "-1", "20000000000",
         "20000000001", "+5", "1e9", "03:04:05", "2026-W01-1", "now", "2026-01-02T03:04:05+23:59", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05−05:00"]
STAMPS = [0, 1, -1, 1767323045, 1767323045.5, 1767323045.123456, 1767323045000, 20000000000, 20000000001, -20000000001, 1e12, 253402300799, 253402300799000, 253402300800000, 1e20, -1e20, -62135596800]
SPANS = ["PT3S", "pt3s", "PT3.5S", "PT1M", "PT1H30M", "P1D", "P1W", "P1DT1H", "P1Y", "P1M", "-PT3S", "+PT3S", "P", "PT", "P1DT", "3", "3.5", "-3", "00:00:03", "00:00:03.5", "1:00", "01:00", "1 00:00:03", "1 day 00:00:03", "1 days, 00:00:03", "2d 01:00:00",
         "-00:00:03", "25:00:00", "00:60:00", "00:00:60", "", "x", " PT3S", "1e3", "3s", "PT3", "1 day", "PT0.000001S"]
UUIDS = [U + "1", U.replace("-", "") + "1", "{" + U + "1}", "urn:uuid:" + U + "1", "URN:UUID:" + U + "1", "{" + U.replace("-", "") + "1}", "ABCDEF00-0000-0000-0000-000000000001", U, U + "11", "(" + U + "1)", "x", "", " " + U + "1", U + "g"]


class Extra(BaseModel):
    a: int
    b: Optional[int] = None
    model_config = {"extra": "forbid"}


ROWS = [
    ("int", {"type": "int"}, int, NUMBERS + NUMERALS + WRONG + [1e20, 2**62 + 0.0]),
    ("int ge 0", {"type": "int", "ge": 0}, Any, None),
    ("int gt 0", {"type": "int", "gt": 0}, Any, None),
    ("float", {"type": "float"}, float, NUMBERS + NUMERALS[:-1] + WRONG + [1e20]),
    ("float ge 0 le 1", {"type": "float", "ge": 0, "le": 1}, Any, None),
    ("bool", {"type": "bool"}, bool, NUMBERS + WORDS + NUMERALS + WRONG),
    ("str", {"type": "str"}, str, NUMBERS[:5] + ["x", "", "é", "a\tb"] + WRONG),
    ("str 2 to 3", {"type": "str", "min_length": 2, "max_length": 3}, Any, None),
    ("str pattern", {"type": "str", "pattern": "^[^/%&><]+$"}, Any, None),
    ("uuid", {"type": "uuid"}, uuid.UUID, UUIDS + NUMBERS[:3] + WRONG),
    ("datetime", {"type": "datetime"}, datetime.datetime, TIMES + STAMPS + WRONG),
    ("instant", {"type": "instant"}, DateTime, TIMES + STAMPS + WRONG),
    ("timedelta", {"type": "timedelta"}, datetime.timedelta, SPANS + [0, 3, 3.5, -3, 1e9, 86400] + WRONG),
    ("enum", {"type": "enum", "values": [s.value for s in StateType]}, StateType, ["RUNNING", "running", "NOPE", "", 5] + WRONG),
    ("literal", {"type": "literal", "values": ["in_process", "reschedule"]}, Literal["in_process", "reschedule"], ["reschedule", "x", 5] + WRONG),
    ("list of int", {"type": "list", "items": {"type": "int"}}, List[int], [[], [1, "2", 3.0], [None], ["x", 1.5], "x", {}, None, 5, [[]], {"0": 1}]),
    ("set of str", {"type": "set", "items": {"type": "str"}}, Set[str], [[], ["x"], ["x", "x", "y"], [None], [1], "x", {}, None]),
    ("dict of int", {"type": "dict", "keys": {"type": "str"}, "items": {"type": "int"}}, Dict[str, int], [{}, {"a": 1}, {"a": "2", "b": 3.0}, {"a": None}, {"a": "x"}, [], "x", None, 5]),
    ("int or null", {"type": "int", "null": True}, Optional[int], [None, 1, "1", "x", []]),
    ("pair", {"type": "tuple", "choices": [{"type": "str"}, {"type": "str"}]}, Tuple[str, str], [["a", "b"], ["a"], ["a", "b", "c"], [], [1, "b"], "ab", None]),
    ("label", {"type": "union", "choices": [{"type": "bool", "tag": "bool"}, {"type": "int", "strict": True, "tag": "int"}, {"type": "float", "strict": True, "tag": "float"}, {"type": "str", "tag": "str"}]}, Union[bool, StrictInt, StrictFloat, str], [True, 1, 2, 1.0, 1.5, "true", "x", None, [], {}]),
    ("ref FlowRunFilter", {"ref": "FlowRunFilter"}, FlowRunFilter, [{}, None, [], "x", {"id": {"any_": [U + "1"]}}, {"id": {"any_": ["x", 5]}}, {"id": {"any_": None}}, {"id": None}, {"operator": "or_"}, {"operator": "xor"}, {"operator": None}, {"bogus": 1},
        {"id": {"bogus": 1}}, {"tags": {"is_null_": "yes"}}, {"tags": {"all_": "x"}}, {"start_time": {"before_": 1767323045}}, {"start_time": {"before_": "x"}}, {"state": {"type": {"any_": ["RUNNING", "x"]}, "name": 5}}, {"state": {"type": {"any_": [None]}}}]),
    ("ref FlowFilter", {"ref": "FlowFilter"}, FlowFilter, [{"name": {"like_": 5, "any_": [5]}}, {"deployment": {"is_null_": 2}}, {"id": []}]),
    ("ref EventRelatedFilter", {"ref": "EventRelatedFilter"}, EventRelatedFilter, [{"resources_in_roles": [["a", "b"], ["c"]]}, {"labels": {"a": ["x"], "b": "y", "c": 5}}]),
    ("ref LogCreate", {"ref": "LogCreate"}, LogCreate, [{}, {"name": "x", "level": "20", "message": "m", "timestamp": "2026-01-02"}, {"name": 5, "level": 1.5, "message": None, "timestamp": "x", "flow_run_id": "x", "more": 1}]),
    ("ref TaskRunCreate", {"ref": "TaskRunCreate"}, TaskRunCreate, [{"task_key": "k", "dynamic_key": "d", "empirical_policy": {"retry_delay": "x"}}, {"task_key": "k", "dynamic_key": "d", "task_inputs": {"a": [{"input_type": "bogus"}]}}, {"task_key": "k", "dynamic_key": "d", "tags": None}]),
    ("ref DeploymentScheduleCreate", {"ref": "DeploymentScheduleCreate"}, DeploymentScheduleCreate, [{"schedule": {"interval": "x"}}, {"schedule": {"interval": -1}}, {"schedule": None}, {"schedule": {"interval": 3, "bogus": 1}}, {"schedule": {"interval": 3600}, "active": "no", "max_scheduled_runs": 0}]),
]
BOUNDED = {"int ge 0": (int, {"ge": 0}, [0, -1, "-1", 1.0]), "int gt 0": (int, {"gt": 0}, [0, 1, "0", "1"]), "float ge 0 le 1": (float, {"ge": 0, "le": 1}, [0, 1, 1.5, -0.5, "0.5"]),
           "str 2 to 3": (str, {"min_length": 2, "max_length": 3}, ["a", "ab", "abc", "abcd", "é", "éé", ""]), "str pattern": (str, {"pattern": "^[^/%&><]+$"}, ["a", "", "a/b", "a b"])}


def plain(v):
    if isinstance(v, datetime.datetime):
        zone = v.utcoffset() or datetime.timedelta()
        v = datetime.datetime(v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond)
        return (v - datetime.datetime(1970, 1, 1) - zone) // datetime.timedelta(microseconds=1)
    if isinstance(v, datetime.timedelta):
        return v.total_seconds()
    if isinstance(v, uuid.UUID):
        return str(v)
    if isinstance(v, enum.Enum):
        return v.value
    if isinstance(v, (set, frozenset)):
        return sorted(v)
    if isinstance(v, tuple):
        return list(v)
    return v


for name, wire, t, values in ROWS:
    if name in BOUNDED:
        base, kw, values = BOUNDED[name]
        from typing import Annotated
        t = Annotated[base, Field(**kw)]
    adapter = TypeAdapter(t)
    for v in values:
        row = {"name": name, "wire": wire, "input": v}
        try:
            out = adapter.validate_python(v, from_attributes=True)
            row["result"] = None if "ref" in wire or v in ("now", "03:04:05") else plain(out)
        except ValidationError as e:
            row["faults"] = [{"type": f["type"], "loc": list(f["loc"])} for f in e.errors(include_url=False, include_context=False, include_input=False)]
        print(json.dumps(row, ensure_ascii=False))
