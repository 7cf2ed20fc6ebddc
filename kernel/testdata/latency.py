"""Times edits of one cell in two kernels by turns, so that both meet the same machine, and prints both medians in seconds."""

import json
import statistics
import sys
import time

from jupyter_client.manager import start_new_kernel

task = json.load(sys.stdin)


def run(client, source):
    start = time.perf_counter()
    reply = client.execute_interactive(source, timeout=300, output_hook=lambda message: None)
    if reply["content"]["status"] != "ok":
        raise SystemExit(json.dumps(reply["content"]))
    return time.perf_counter() - start


kernels = {name: start_new_kernel(kernel_name=name, startup_timeout=120) for name in task["kernels"]}
times = {name: [] for name in kernels}
try:
    for name, (_, client) in kernels.items():
        for source in task["before"].get(name, []) + [task["cell"].replace("EDIT", "0")] * 2:
            run(client, source)
    for edit in range(1, task["edits"] + 1):
        for name, (_, client) in kernels.items():
            times[name].append(run(client, task["cell"].replace("EDIT", str(edit))))
finally:
    for manager, client in kernels.values():
        client.stop_channels()
        manager.shutdown_kernel(now=True)
print(json.dumps({name: statistics.median(t) for name, t in times.items()}))
