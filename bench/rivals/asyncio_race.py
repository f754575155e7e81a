"""Answers each line "CASE RUNS" with the microseconds of processor time that so many races of CPython's took."""

import asyncio
import sys
import time
from asyncio.staggered import staggered_race


async def answers():
    await asyncio.sleep(0)


async def fails():
    await asyncio.sleep(0)
    raise OSError


async def hangs():
    await asyncio.Event().wait()


async def times(case, runs):
    kind, count = case.split(":")
    candidates, delay = {
        "first": ([answers] + [hangs] * (int(count) - 1), 0.25),
        "turn": ([fails] * (int(count) - 1) + [answers], None),
    }[kind]
    start = time.process_time_ns()
    for _ in range(runs):
        await staggered_race(candidates, delay)
    return (time.process_time_ns() - start) / 1000


print(sys.version.split()[0], flush=True)
for line in sys.stdin:
    case, runs = line.split()
    print(asyncio.run(times(case, int(runs))), flush=True)
