"""A front end that knows the kernel by its spec alone: runs a cell, interrupts another, and shuts down."""

import threading

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
finally:
    client.stop_channels()
    manager.shutdown_kernel()
print("alive:", manager.is_alive())
