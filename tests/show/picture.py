"""Draws the view of a simulated host a moment after a burst, for its documentation."""

import asyncio
import re
import sys
from pathlib import Path

from ballonet.service.sources.simulated import Simulated
from ballonet.show.terminal.app import Top
from ballonet.simulator.scenarios import scenario

FRAMES = 20  # by then the first burst is being answered


async def picture() -> str:
    """Return it as SVG that loads nothing from elsewhere."""
    app = Top(Simulated(scenario("trade-places"), "trade-places"))
    async with app.run_test(size=(118, 24)) as pilot:
        while app.frame is None:
            await pilot.pause(0.01)
        await pilot.press("space")
        while app.frame.number < FRAMES:
            await app.action_step(1)
        await pilot.press("j", "j", "j")
        svg = app.export_screenshot(title="ballonet top -c sim:trade-places", simplify=True)
    without_fonts = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+-", "terminal-", without_fonts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(picture()))
