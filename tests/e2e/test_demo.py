"""The demo does what it says, and leaves nothing behind."""

import re
import signal
import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.e2e

DEMO = (sys.executable, "-m", "kfambassador", "demo")


def test_the_demo_shows_everything_and_takes_it_down() -> None:
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for shown in (
        "[2.5, 3.0, 4.5]",
        'POST /models/test/  200 {"predictions": [2.5, 3.0, 4.5]}',
        "404: the route says method: POST",
        "200: the edit is served",
        "sent, none failed",
        '{"host": "httpbin.org", "path": "/get"}',
        "default/httpbin_mapping",
        "default/mnist-predict",
    ):
        assert shown in done.stdout
    assert "\x1b" not in done.stdout
    url = re.search(r"http://127\.0\.0\.1:\d+", done.stdout)
    assert url is not None
    with pytest.raises(URLError):
        urlopen(url.group())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_kept_it_answers_until_it_is_told_to_end(number: signal.Signals) -> None:
    with subprocess.Popen([*DEMO, "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        stays = next(line for line in process.stdout if line.startswith("It stays at "))
        url = re.search(r"http://\S+", stays)
        assert url is not None
        with urlopen(f"{url.group()}/models/test/") as answer:
            assert answer.status == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Done in" in out
