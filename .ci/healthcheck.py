"""Exit code 0 if the server at port 8000 answers; the port may be an argument.

A shared workshop answers 403, because the request has no token. That is healthy.
"""

import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException

TIMEOUT = 4.0  # seconds


def is_healthy(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
        try:
            connection.request("HEAD", "/")
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False


if __name__ == "__main__":
    sys.exit(not is_healthy(int(sys.argv[1]) if sys.argv[1:] else 8000))
