"""Runs every scenario in one encoding and says, a JSON object per line, what held:

    python main.py json|protobuf
"""

import asyncio
import sys
import traceback

from scenarios import SCENARIOS
from world import World, say


async def main(encoding):
    for number, (sentence, scene) in enumerate(SCENARIOS.items()):
        world = World(use_protobuf=encoding == "protobuf")
        try:
            await scene(world, f"python-{encoding}-{number}")
            say({"held": sentence})
        except Exception:  # whatever it was, the test wants to hear of it, and of the scenarios after it
            say({"failed": sentence, "why": traceback.format_exc()})
        finally:
            await world.end()


if len(sys.argv) != 2 or sys.argv[1] not in ("json", "protobuf"):
    sys.exit("usage: python main.py json|protobuf")
asyncio.run(main(sys.argv[1]))
