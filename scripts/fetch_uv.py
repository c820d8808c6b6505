"""Install uv where python3 has neither venv nor pip: by pip's wheel, which runs as it is.

For whatever python3 a system brings, so it keeps to what 3.9 knows and to the standard library.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from urllib.parse import urljoin
from urllib.request import urlopen

INDEX = "https://pypi.org/pypi/pip/json"


def fetch_pip(folder: str) -> str:
    """Download the newest pip into a folder and answer the wheel's path.

    Raises:
        SystemExit: What came is not what was announced.
    """
    with urlopen(INDEX, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    # A mirror may give it relative to itself.
    with urlopen(urljoin(INDEX, wheel["url"]), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        raise SystemExit(f"{wheel['url']} is not what {INDEX} announces")
    path = os.path.join(folder, wheel["filename"])
    with open(path, "wb") as file:
        file.write(content)
    return path


def main() -> int:
    """Install uv into the folder that is the only argument."""
    with tempfile.TemporaryDirectory() as folder:
        pip = os.path.join(fetch_pip(folder), "pip")
        return subprocess.call([sys.executable, pip, "install", "--target", sys.argv[1], "uv"])


if __name__ == "__main__":
    sys.exit(main())
