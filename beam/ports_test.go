package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// open lists the ports on which a process listens for more than its own
// machine: beyond loopback, in a network that has another interface.
func open(pid string) (ports []string) {
	devices, err := os.ReadFile(filepath.Join("/proc", pid, "net/dev"))
	if err != nil || bytes.Count(devices, []byte(":")) < 2 { // only lo
		return nil
	}
	var sockets []string
	links, _ := filepath.Glob(filepath.Join("/proc", pid, "fd/*"))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "socket:[") {
			sockets = append(sockets, strings.Trim(to[len("socket:"):], "[]"))
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(filepath.Join("/proc", pid, "net", table))
		for line := range strings.Lines(string(text)) {
			field := strings.Fields(line)
			const listens = "0A"
			if len(field) < 10 || field[3] != listens || !slices.Contains(sockets, field[9]) {
				continue
			}
			address, port, _ := strings.Cut(field[1], ":")
			ip, _ := hex.DecodeString(address)
			for i := 0; i+4 <= len(ip); i += 4 { // words of the machine's byte order
				slices.Reverse(ip[i : i+4])
			}
			if !net.IP(ip).IsLoopback() {
				ports = append(ports, fmt.Sprintf("%s:%s", net.IP(ip), port))
			}
		}
	}
	return ports
}

// processes are those whose arguments hold text.
func processes(text string) (pids []string) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(text)) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

// While rows are done, no process of ours listens where other machines reach it.
func TestNoPortIsOpenToOthers(t *testing.T) {
	l, err := net.Listen("tcp", ":0") // the test sees what it should not see
	if err != nil {
		t.Fatal(err)
	}
	if len(open("self")) == 0 {
		t.Skip("this machine has no network but the loopback interface")
	}
	l.Close()
	for _, c := range []struct {
		runner    string
		arguments func(*testing.T) []string
	}{{"prism", func(*testing.T) []string { return []string{"--runner", "prism"} }}, {"flink", longOnFlink}} {
		t.Run(c.runner, func(t *testing.T) {
			out := t.TempDir()
			run := exec.CommandContext(t.Context(), program, append([]string{"wait", "--rows", "40", "--each", "100ms", "--workers", "1", "--out", out}, c.arguments(t)...)...)
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			for range 600 {
				if len(inodes(t, filepath.Join(out, "state"))) > 0 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			seen := 0
			for _, text := range []string{program, out, clusterDir} {
				for _, pid := range processes(text) {
					seen++
					if ports := open(pid); ports != nil {
						t.Errorf("process %s listens on %v", pid, ports)
					}
				}
			}
			if seen < 2 {
				t.Errorf("only %d processes seen", seen)
			}
			if err := run.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
