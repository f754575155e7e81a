"""Connects as it is told on the command line, and prints how many milliseconds each connection took."""

import asyncio
import json
import sys
import time


async def connect(host, port):
    begin = time.perf_counter()
    _, writer = await asyncio.open_connection(host, port, happy_eyeballs_delay=0.25)
    took = (time.perf_counter() - begin) * 1000
    writer.close()
    return took


async def main(job):
    port = job["port"]
    if job["atOnce"]:
        took = await asyncio.gather(*(connect(host, port) for host in job["hosts"]))
    else:
        took = [await connect(host, port) for host in job["hosts"]]
    print(json.dumps(took))


asyncio.run(main(json.loads(sys.argv[1])))
