package kernel

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkEdit measures how long a reader waits for the output of an edited cell, warm, beside stock GoNB: the same binary
// without this package's launcher, and with %noautoget, since it would ask the network about every import otherwise. Run it with
// -benchtime=20x; it reports the medians and their ratio.
func BenchmarkEdit(b *testing.B) {
	for _, c := range []struct{ name, cell string }{
		{"bare", "import \"fmt\"\n\n%%\nfmt.Println(EDIT)"},
		{"plot", `import (
	"elastography/plots"
	"elastography/plots/show"
)

%%
line := plots.LineSeries{Name: "a line", X: []float64{0, 1}, Y: []float64{0, EDIT}}
show.Figure(plots.Lines([]plots.LinePanel{{XLabel: "x (mm)", YLabel: "y (mm)", Series: []plots.LineSeries{line}}}, plots.Style{}))`},
		{"sswe", `import (
	"fmt"

	"elastography/plots/show"
	"elastography/sswe"
)

%%
backend, err := sswe.OpenBackend()
show.Must(err)
fmt.Println(backend.Name(), EDIT)`},
	} {
		b.Run(c.name, func(b *testing.B) {
			ours, stock := editLatency(b, c.cell, b.N)
			b.ReportMetric(ours, "s/edit")
			b.ReportMetric(stock, "stock-s/edit")
			b.ReportMetric(ours/stock, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// editLatency returns the median seconds of an edit in this kernel and in stock GoNB.
func editLatency(b *testing.B, cell string, edits int) (ours, stock float64) {
	b.Helper()
	e, err := Setup(b.Context(), "..", os.Stderr)
	if err != nil {
		b.Fatal(err)
	}
	tmp, err := tempDir()
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	const other = "stock"
	spec, err := json.Marshal(map[string]any{"display_name": other, "language": "go", "interrupt_mode": "message",
		"argv": []string{filepath.Join(e.tools, "gonb"), "--kernel", "{connection_file}", "-raw_error", "-go_work=" + e.Root}})
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(tmp, "jupyter", "kernels", other)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), spec, 0o644); err != nil {
		b.Fatal(err)
	}
	task, err := json.Marshal(map[string]any{"kernels": []string{Name, other}, "cell": cell, "edits": edits,
		"before": map[string][]string{other: {"%noautoget"}}})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), e.Python, "testdata/latency.py")
	cmd.Env = append(e.jupyterEnv(tmp), "SSWE_HEADLESS=1", "JUPYTER_PATH="+e.jupyterPath()+string(filepath.ListSeparator)+filepath.Join(tmp, "jupyter"),
		"PATH="+e.tools+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Stdin = bytes.NewReader(task)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v\n%s", err, tail(said.String(), 10))
	}
	var medians map[string]float64
	if err := json.Unmarshal(out, &medians); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return medians[Name], medians[other]
}
