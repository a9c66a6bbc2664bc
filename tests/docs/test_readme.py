"""The code in the README runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_python_examples_of_the_readme_run(worker_environment, tmp_path):
    blocks = PYTHON.findall(README.read_text())
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks))
    result = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env=worker_environment,
        cwd=tmp_path,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    assert "Counter({" in result.stdout
    assert "type='UserRef'" in result.stdout
