"""A front end that knows the kernel by its spec alone: runs a cell, interrupts another, and shuts down."""

import ipaddress
import threading

import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel

PACKAGES = """import (
	"fmt"
	"reflect"
	"strings"

	"elastography/kernel/pjrt"
)

%%
path := reflect.TypeOf(pjrt.Plugin{}).PkgPath()
fmt.Println("the checkout's packages:", strings.Split(path, "/")[0])"""

LONG = """import (
	"os"
	"os/signal"
	"time"
)

%%
stop := make(chan os.Signal, 1)
signal.Notify(stop, os.Interrupt)
fmt.Println("working")
select {
case <-stop:
	fmt.Println("interrupted, and saved")
case <-time.After(5 * time.Minute):
}"""

print(KernelSpecManager().get_kernel_spec("sswe").display_name)
manager, client = start_new_kernel(kernel_name="sswe", startup_timeout=120)


def loopback_alone(pid):
    """Whether the kernel and its helpers listen, and nowhere but on the loopback interface."""
    kernel = psutil.Process(pid)
    listening = [c.laddr.ip for p in [kernel, *kernel.children(recursive=True)] for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    return len(listening) >= 5 and all(ipaddress.ip_address(ip).is_loopback for ip in listening)


def show(message):
    text = message["content"].get("text", "")
    if text == "working\n":
        threading.Thread(target=manager.interrupt_kernel).start()
    else:
        print(text, end="")


try:
    for cell in PACKAGES, LONG:
        reply = client.execute_interactive(cell, timeout=300, output_hook=show)
        if reply["content"]["status"] != "ok":
            raise SystemExit(reply["content"])
    print("listens on loopback alone:", loopback_alone(manager.provisioner.pid))
finally:
    client.stop_channels()
    manager.shutdown_kernel()
print("alive:", manager.is_alive())
