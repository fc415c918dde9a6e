"""The Python example of the project's readme, against the sandbox and the test pages."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
from pathlib import Path

from silkline.sandbox import Sandbox

README = Path(__file__).parents[2] / "README.md"


def test_the_example_prints_an_item(site: str) -> None:
    program = README.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    printed = io.StringIO()

    async def main() -> None:
        async with Sandbox(rate=math.inf) as sandbox:
            here = program.replace("http://127.0.0.1:8080", site)
            here = here.replace("http://127.0.0.1:8010/v1/extract", sandbox.extraction_url)
            assert here.count(site) == 1
            with contextlib.redirect_stdout(printed):
                await asyncio.to_thread(exec, compile(here, "README.md", "exec"), {})

    asyncio.run(main())
    assert printed.getvalue().startswith("Copper kettle")
