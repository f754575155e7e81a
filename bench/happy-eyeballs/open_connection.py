"""Connects to `HOST PORT` within `SECONDS`. Writes "connected", the name of the error, or nothing if the time is up."""

import asyncio
import errno
import sys


async def main(host, port, seconds):
    opening = asyncio.open_connection(host, int(port), happy_eyeballs_delay=0.25)
    try:
        await asyncio.wait_for(opening, float(seconds))
        print("connected")
    except asyncio.TimeoutError:
        pass
    except OSError as error:
        print(errno.errorcode.get(error.errno, type(error).__name__))


asyncio.run(main(*sys.argv[1:]))
