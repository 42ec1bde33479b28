"""The code in docs/python.md runs as it is written."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def test_code_blocks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = list(re.finditer(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S))
    assert len(blocks) >= 4
    names = {}
    for block in blocks:  # one after the other, in one session
        line = PAGE.read_text(encoding="utf-8")[: block.start(1)].count("\n")
        exec(compile("\n" * line + block[1], str(PAGE), "exec"), names)
