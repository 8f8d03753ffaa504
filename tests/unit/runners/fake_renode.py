#!/usr/bin/env python3
"""Acts as Renode does for its runner: a monitor on -P, and the script's line, as an echo.

$FAKE_RENODE chooses how it fails: "dies", "taken" (a port, the first time), "silent" (no line).
What it was called with goes to $FAKE_RENODE_LOG, a line a call.
"""

import json
import os
import re
import socket
import sys
import time
from pathlib import Path

script = Path(sys.argv[-1])
monitor = int(sys.argv[sys.argv.index("-P") + 1])
text = script.read_text()
line_port = int(re.search(r"^\$line_port\?=(\d+)$", text, re.MULTILINE)[1])
how = os.environ.get("FAKE_RENODE", "")
calls = Path(os.environ["FAKE_RENODE_LOG"])
calls.write_text((calls.read_text() if calls.exists() else "") + json.dumps(sys.argv[1:]) + "\n")

with socket.create_server(("127.0.0.1", monitor)):
    if how == "dies":
        sys.exit("Cannot load the description: line 3")
    if how == "taken" and calls.read_text().count("\n") == 1:
        sys.exit("System.Net.Sockets.SocketException: Address already in use")
    if how == "silent":
        time.sleep(60)
    print("Renode, version 0 (fake)", flush=True)
    with socket.create_server(("127.0.0.1", line_port)) as server:
        line = server.accept()[0]
        while data := line.recv(4096):
            line.sendall(data)
    time.sleep(60)
