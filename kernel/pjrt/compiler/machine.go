package compiler

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes what XLA fits its code to: the kind of processor with all its instruction sets, and the number of
// processors this process may use, which decides how loops are split.
func machine() string {
	return fmt.Sprintf("%s/%s, %d processors\n%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor("/proc/cpuinfo"))
}

// processor reads the first processor of a file like Linux's /proc/cpuinfo, without what changes while it runs.
func processor(cpuinfo string) string {
	f, err := os.Open(cpuinfo)
	if err != nil {
		return ""
	}
	defer f.Close()
	var kept strings.Builder
	lines := bufio.NewScanner(f)
	for lines.Scan() && lines.Text() != "" {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name = strings.TrimSpace(name); name {
		case "vendor_id", "cpu family", "model", "model name", "stepping", "cache size", "flags", // x86
			"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features": // ARM
			fmt.Fprintf(&kept, "%s:%s\n", name, value)
		}
	}
	return kept.String()
}
