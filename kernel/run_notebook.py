"""Executes one notebook and says on standard output, one JSON object a line, how each cell went.

The task is the first line of standard input. The input then stays open as long as the parent lives: when it ends, or on
SIGTERM, the kernel and all that it started are stopped.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import threading
import time

# jsonschema would load this to check internationalised addresses; it builds a grammar at import, which takes 2.6 s of CPU.
sys.modules["rfc3987_syntax"] = None

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# gonb carries on after these; a run must not.
SHELL_FAILED = re.compile(r"^(exit status \d+|signal: .+)$", re.MULTILINE)
MAGIC_UNKNOWN = re.compile(r'".*" unknown or not implemented')


def say(**event):
    print(json.dumps(event), flush=True)


def streams(cell, name):
    return "".join(o["text"] for o in cell.outputs if o.output_type == "stream" and o.name == name)


def words(cell):
    """What a failed cell said: its error stream, then the kernel's error where that adds something."""
    said = streams(cell, "stderr")
    for o in cell.outputs:
        if o.output_type == "error":
            said += "\n" + ("\n".join(o.traceback) if o.evalue not in said else "")
    return said


def silent_failure(cell):
    """What gonb only mentions on the error stream: a failed shell line or an unknown special command."""
    if not re.search(r"^\s*(//gonb:)?[!%]", cell.source, re.MULTILINE):
        return None
    text = ANSI.sub("", streams(cell, "stderr"))
    if MAGIC_UNKNOWN.search(text):
        return "magic", text
    if SHELL_FAILED.search(text):
        return "shell", text
    return None


async def cell_ended(pid):
    """Waits for the interrupted cell's program; gonb kills it after five seconds. Ended earlier, gonb would take it along."""
    for _ in range(60):
        if not any(child.name() != "gopls" for child in psutil.Process(pid).children() if child.status() != psutil.STATUS_ZOMBIE):
            return
        await asyncio.sleep(0.1)


async def stop_kernel(client):
    """Interrupts the running cell, so that it may save its work, then ends the kernel's whole process group."""
    km = client.km
    if km is None or not km.has_kernel:
        return
    pid = getattr(km.provisioner, "pid", None)
    try:
        if await km.is_alive():
            await km.interrupt_kernel()
            await cell_ended(pid)
            await asyncio.wait_for(km.shutdown_kernel(now=False), 10)
    except Exception as error:  # whatever went wrong, the group still has to go
        print("stop kernel:", error, file=sys.stderr)
    finally:
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if client.kc is not None:
            client.kc.stop_channels()


async def execute(task, nb):
    client = NotebookClient(
        nb,
        kernel_name=task["kernel"],
        timeout=task["cell_timeout_s"] or None,
        startup_timeout=120,
        iopub_timeout=60,  # outputs may come after the reply; a busy machine needs more than nbclient's four seconds
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": task["dir"]}},
    )
    client.create_kernel_manager()
    try:
        client.reset_execution_trackers()
        await client.async_start_new_kernel()
        await client.async_start_new_kernel_client()
        reply = await client.async_wait_for_reply(client.kc.kernel_info())
        nb.metadata["language_info"] = reply["content"]["language_info"]
        for index, cell in enumerate(nb.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            say(event="start", index=index)
            start = time.monotonic()
            failure = None
            try:
                await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
                failure = silent_failure(cell)
            except CellExecutionError:
                failure = "error", words(cell)
            except CellTimeoutError:
                failure = "timeout", streams(cell, "stderr") + f"\nno end after {task['cell_timeout_s']:g} s"
            except DeadKernelError:
                failure = "dead", "the kernel died"
            seconds = time.monotonic() - start
            if failure:
                kind, text = failure
                say(event="cell", index=index, seconds=seconds, status="failed", kind=kind, message=ANSI.sub("", text))
                return False
            say(event="cell", index=index, seconds=seconds, status="ok")
        client.set_widgets_metadata()
        return True
    finally:
        await asyncio.shield(stop_kernel(client))


# nbconvert's page without the scripts that it would ask of a network: the page reads the same everywhere, and formulas stay as TeX.
PAGE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
"""


def write_html(nb, name, title):
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True)
    exporter.raw_template = PAGE
    body, _ = exporter.from_notebook_node(nb, resources={"metadata": {"name": title}})
    with open(name, "w", encoding="utf-8") as file:
        file.write(body)


async def main():
    task = json.loads(sys.stdin.readline())
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    loop.add_signal_handler(signal.SIGTERM, this.cancel)
    loop.add_signal_handler(signal.SIGINT, this.cancel)

    orphaned = False

    def watch_parent():
        nonlocal orphaned
        sys.stdin.read()
        orphaned = True
        loop.call_soon_threadsafe(this.cancel)

    threading.Thread(target=watch_parent, daemon=True).start()

    try:
        await run(task)
    finally:
        if orphaned:  # nobody else is left to clear up
            shutil.rmtree(task["tmp"], ignore_errors=True)


async def run(task):
    nb = nbformat.read(task["in"], as_version=4)
    nb.metadata["kernelspec"] = {"name": task["kernel"], "display_name": task["kernel_display"], "language": "go"}
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    ok = await execute(task, nb)
    nbformat.write(nb, task["out"])
    if ok and task["html"]:
        write_html(nb, task["html"], task["title"])
    say(event="done")


try:
    asyncio.run(main())
except asyncio.CancelledError:
    sys.exit(130)
