"""People who use a model: ``python callers.py URL`` asks it again and again, and says so when it does not answer."""

import json
import sys
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

url = f"{sys.argv[1].rstrip('/')}:predict"
request = Request(url, json.dumps({"instances": [1.0]}).encode(), {"Content-Type": "application/json"})
print(f"asking {url}", flush=True)
while True:
    try:
        urlopen(request, timeout=10).read()
    except URLError as error:
        print(error, file=sys.stderr, flush=True)
    time.sleep(0.02)
