"""Prints what the operations of Prefect 3.4.9 read: names, types, and bounds of bodies and queries.

    PREFECT_HOME=$(mktemp -d) python plan.py > ../../wire.json   # with the Python of a Prefect 3.4.9
"""
import enum, json, sys, warnings

warnings.simplefilter("ignore")
from prefect.server.api.server import create_api_app
from fastapi.routing import APIRoute

DEFS, SEEN = {}, {}
BOUNDS = ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern", "strict")


def bounds(s, out):
    for k in BOUNDS:
        if s.get(k) is not None:
            v = s[k]
            out[k] = getattr(v, "pattern", v)
            if hasattr(out[k], "total_seconds"):
                out[k] = out[k].total_seconds()
    return out


def tag(s, defs):
    """The part of a location that pydantic gives to a choice of a union."""
    t = s["type"]
    if t == "definition-ref":
        return tag(defs[s["schema_ref"]], defs)
    if t in ("default", "json-or-python", "lax-or-strict", "definitions"):
        return tag(inner(s), defs)
    if t == "model":
        return s["cls"].__name__
    if t in ("list", "set"):
        return f"{t}[{tag(s['items_schema'], defs)}]"
    if t == "dict":
        return f"dict[{tag(s['keys_schema'], defs)},{tag(s['values_schema'], defs)}]" if "keys_schema" in s else "dict[any,any]"
    if t.startswith("function-"):
        f = s["function"]["function"]
        return f"{t}[{getattr(f, '__name__', repr(f))}(), {tag(s['schema'], defs)}]" if "schema" in s else f"{t}[{getattr(f, '__name__', repr(f))}()]"
    if t == "nullable":
        return f"nullable[{tag(s['schema'], defs)}]"
    if t == "constrained-str":
        return "constrained-str"
    return {"str": "constrained-str" if any(s.get(k) is not None for k in BOUNDS[4:7]) else "str"}.get(t, t)


def inner(s):
    return s.get("lax_schema") or s.get("python_schema") or s.get("schema")


def node(s, defs):
    t = s["type"]
    if t == "definitions":
        defs = {**defs, **{d["ref"]: d for d in s["definitions"]}}
        return node(s["schema"], defs)
    if t == "definition-ref":
        return named(defs[s["schema_ref"]], defs)
    if t == "model":
        return named(s, defs)
    if t == "default":
        return node(s["schema"], defs)
    if t == "nullable":
        n = node(s["schema"], defs)
        return {**n, "null": True} if "ref" not in n else {"type": "ref", **n, "null": True}
    if t == "json-or-python" and s["json_schema"]["type"] in ("list", "definitions"):
        return node(s["json_schema"], defs)
    if t in ("json-or-python", "lax-or-strict"):
        return node(inner(s), defs)
    if t.startswith("function-"):
        f = s["function"]["function"]
        name = getattr(f, "__qualname__", repr(f))
        if t == "function-plain":
            return {"type": "any"}
        n = node(s["schema"], defs)
        if name == "check_variable_value":
            return {"type": "any", "null": True}
        if name == "DateTime._validate":
            return {**n, "type": "instant"}  # a datetime that pendulum may read where pydantic does not
        if name.endswith(".set_name") or name == "cast_none_to_empty_dict":
            return {**n, "null": True}
        return n
    if t in ("int", "float", "str", "datetime", "timedelta", "date"):
        return bounds(s, {"type": t})
    if t in ("bool", "any", "uuid"):
        return {"type": t}
    if t in ("url", "bytes"):
        return {"type": "any"}
    if t in ("list", "set"):
        return bounds(s, {"type": t, "items": node(s["items_schema"], defs) if "items_schema" in s else {"type": "any"}})
    if t == "tuple":
        return {"type": "tuple", "choices": [node(i, defs) for i in s["items_schema"]]}
    if t == "dict":
        return {"type": "dict", "keys": node(s["keys_schema"], defs) if "keys_schema" in s else {"type": "any"}, "items": node(s["values_schema"], defs) if "values_schema" in s else {"type": "any"}}
    if t == "union":
        cs = [c[0] if isinstance(c, tuple) else c for c in s["choices"]]
        nulls = [c for c in cs if c["type"] == "none"]
        out = {"type": "union", "choices": [{**node(c, defs), "tag": tag(c, defs)} for c in cs if c["type"] != "none"]}
        if s.get("mode") == "left_to_right":
            out["first"] = True
        return {**out, "null": True} if nulls else out
    if t == "tagged-union":
        return {"type": "tagged", "by": s["discriminator"], "choices": [{**node(c, defs), "tag": k} for k, c in s["choices"].items()]}
    if t in ("literal",):
        return {"type": "literal", "values": [e.value if isinstance(e, enum.Enum) else e for e in s["expected"]]}
    if t == "enum":
        return {"type": "enum", "values": [m.value for m in s["members"]]}
    if t == "chain":
        return node(s["steps"][0], defs)
    if t == "none":
        return {"type": "none"}
    if t == "is-instance":
        return {"type": "any"}
    sys.exit(f"no plan for {t}: {str(s)[:300]}")


def named(s, defs):
    t = s
    while t["type"] != "model":
        if t["type"] not in ("function-before", "function-wrap", "function-after", "default"):
            return node(t, defs)
        t = t["schema"]
    if t.get("root_model"):
        return node(t["schema"], defs)
    name = t["cls"].__name__
    if name in SEEN and SEEN[name] is not t["cls"]:
        name = t["cls"].__module__.rsplit(".", 1)[1] + "." + name
    SEEN[name] = t["cls"]
    if name not in DEFS:
        DEFS[name] = out = {"type": "model", "name": t["cls"].__name__}
        f = t["schema"]
        while f["type"] != "model-fields":
            f = f["schema"]
        out["extra"] = t.get("config", {}).get("extra_fields_behavior") or f.get("extra_behavior") or "ignore"
        out["fields"] = []
        for k, v in f["fields"].items():
            n = field(node(v["schema"], defs), v.get("validation_alias", k))
            d = v["schema"]
            if d["type"] != "default":
                n["required"] = True
            out["fields"].append(n)
    return {"ref": name}


def field(n, name):
    return {"key": name, **n}


def param(f):
    n = field(node(f._type_adapter.core_schema, {}), f.alias)
    if f.required:
        n["required"] = True
    return n


def main():
    ops = {}
    for r in create_api_app().routes:
        if not isinstance(r, APIRoute):
            continue
        for m in r.methods:
            op = {}
            body = r.dependant.body_params
            if body:
                if r._embed_body_fields:
                    op["embed"] = True
                    op["fields"] = [param(f) for f in body]
                else:
                    op["fields"] = [param(body[0])]
            q = [param(f) for f in r.dependant.query_params]
            for d in r.dependant.dependencies:
                q += [param(f) for f in d.query_params]
                for f in d.body_params:
                    op["embed"] = True
                    op.setdefault("fields", []).append(param(f))
            if q:
                op["query"] = q
            if op:
                ops[f"{m} {r.path}"] = op
    # One operation or model a line, so that a change can be read.
    def lines(d):
        return "{\n" + ",\n".join(json.dumps(k) + ":" + json.dumps(d[k], separators=(",", ":"), ensure_ascii=False) for k in sorted(d)) + "}"

    print('{"operations":' + lines(ops) + ',\n"models":' + lines(DEFS) + "}")


main()
