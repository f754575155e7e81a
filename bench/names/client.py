"""Runs the job on its command line: connects to each host, and writes each outcome as a line of JSON."""

import asyncio
import json
import sys
import time


async def connect(host, port):
    begin = time.perf_counter()
    outcome = {}
    try:
        _, writer = await asyncio.open_connection(host, port, happy_eyeballs_delay=0.25)
        outcome["took"] = (time.perf_counter() - begin) * 1000
        writer.close()
    except OSError as error:
        outcome = {"took": (time.perf_counter() - begin) * 1000, "failed": type(error).__name__}
    print(json.dumps(outcome), flush=True)


async def main(job):
    port = job["port"]
    if job["atOnce"]:
        await asyncio.gather(*(connect(host, port) for host in job["hosts"]))
    else:
        for host in job["hosts"]:
            await connect(host, port)


asyncio.run(main(json.loads(sys.argv[1])))
