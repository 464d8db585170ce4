"""Answers each line {"rule", "start", "n", "zone"} with the dates that Prefect's
schedule classes give, in seconds since 1970, or with {"refused"}."""

import asyncio
import json
import sys
from datetime import datetime

from pydantic import TypeAdapter
from prefect.server.schemas.schedules import SCHEDULE_TYPES

schedules = TypeAdapter(SCHEDULE_TYPES)
for line in sys.stdin:
    ask = json.loads(line)
    try:
        schedule = schedules.validate_python(ask["rule"])
        dates = asyncio.run(schedule.get_dates(n=ask["n"], start=datetime.fromisoformat(ask["start"])))
        print(json.dumps({"dates": [int(d.timestamp()) for d in dates]}))
    except Exception as e:
        print(json.dumps({"refused": str(e).splitlines()[0]}))
