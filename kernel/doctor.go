package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"elastography/kernel/pjrt"
)

// Level says how grave a finding is.
type Level string

const (
	LevelOK   Level = "ok"
	LevelWarn Level = "warn" // works, but slower, later or less
	LevelFail Level = "fail" // does not work until the remedy is applied
)

// Check is one thing looked at.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Level  Level  `json:"level"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// Report is what a doctor found on this machine.
type Report struct {
	Checks []Check `json:"checks"`
}

// Add appends a check; its OK follows from its level, which is LevelOK where none is given.
func (r *Report) Add(c Check) {
	if c.Level == "" {
		c.Level = LevelOK
	}
	c.OK = c.Level == LevelOK
	r.Checks = append(r.Checks, c)
}

// OK reports whether nothing fails; warnings pass.
func (r *Report) OK() bool {
	for _, c := range r.Checks {
		if c.Level == LevelFail {
			return false
		}
	}
	return true
}

// Write writes the report for people: a line a check, and below it the remedy where there is one to take.
func (r *Report) Write(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(tab, "%s\t%s\t%s\n", c.Level, c.Name, c.Found)
		if c.Remedy != "" && c.Level != LevelOK {
			fmt.Fprintf(tab, "\t\t→ %s\n", c.Remedy)
		}
	}
	return tab.Flush()
}

// JSON returns the report for programs.
func (r *Report) JSON() ([]byte, error) {
	return json.MarshalIndent(struct {
		OK bool `json:"ok"`
		*Report
	}{r.OK(), r}, "", "  ")
}

// Doctor looks at all that the notebooks and the study need on this machine, without a network and without changing anything.
// What it cannot know without linking XLA, such as whether a backend starts, the caller adds.
func Doctor(ctx context.Context, root string) *Report {
	r := &Report{}
	e, err := newEnv(ctx, root)
	if err != nil {
		r.Add(Check{Name: "checkout and Go", Level: LevelFail, Found: err.Error(), Remedy: "run inside the checkout, with Go on PATH"})
	} else {
		r.Add(Check{Name: "checkout", Found: e.Root})
		r.Add(e.checkGo(ctx))
		r.Add(e.checkC(ctx))
	}
	python, err := findPython(ctx)
	r.Add(checkPython(python, err))
	r.Add(checkPlugin())
	if e != nil {
		r.Add(e.checkPythonEnv(python))
		r.Add(e.checkTools())
		r.Add(e.checkSpec())
		r.Add(e.checkGopls())
	}
	cache, err := pjrt.CacheDir()
	r.Add(checkCache(cache, err))
	r.Add(checkDisk(cache))
	r.Add(checkMemory())
	r.Add(checkCPU())
	r.Add(checkGPU(ctx))
	return r
}
