// Package notebooks holds the study's notebooks and nothing else; its tests hold them to their form.
package notebooks_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"elastography/kernel"
	"elastography/kernel/ipynb"
)

// mostExecutedBytes is what a notebook may have once its figures are in it.
const mostExecutedBytes = 1_000_000

// each runs a test on every notebook.
func each(t *testing.T, test func(t *testing.T, file string)) {
	files, err := kernel.Notebooks("..")
	if err != nil || len(files) < 4 {
		t.Fatalf("notebooks %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".ipynb"), func(t *testing.T) { test(t, file) })
	}
}

func TestEveryNotebookIsInForm(t *testing.T) {
	each(t, func(t *testing.T, file string) {
		problems, err := kernel.CheckNotebook(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	})
}

func TestWhatIsShownIsIntroduced(t *testing.T) {
	shows := regexp.MustCompile(`(?m)^%%(.|\n)*(show\.(Figure|Image|Table|Explore)\(|sideBySide\(|lines\()`)
	each(t, func(t *testing.T, file string) {
		nb, err := ipynb.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < nb.Len(); i++ {
			if nb.IsCode(i) && shows.MatchString(nb.Source(i)) && nb.IsCode(i-1) {
				t.Errorf("cell %d (%s) shows something without prose before it", i+1, nb.ID(i))
			}
		}
	})
}

// All cells of a notebook together are one program: when a package changes under a notebook, this fails in seconds, without a
// kernel.
func TestEveryNotebookCompilesAsAProgram(t *testing.T) {
	each(t, func(t *testing.T, file string) {
		program, err := kernel.ExportNotebook(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		source := filepath.Join(t.TempDir(), "program.go")
		if err := os.WriteFile(source, program, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "vet", source).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// finishedRun is the run folder that SSWE_RUN names. `SSWE_RUN=../runs/reproduce go test ./notebooks -v` executes all notebooks
// on it, as `go run . reproduce` does at its end, so the tests of every day leave it out.
func finishedRun(t *testing.T) string {
	t.Helper()
	run := os.Getenv("SSWE_RUN")
	if run == "" {
		t.Skip("set SSWE_RUN to a run folder to execute the notebooks; `go run . reproduce` does it too")
	}
	run, err := filepath.Abs(run)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// parameters sets what a notebook declares for a run and a folder of its own.
func parameters(t *testing.T, file, run string) map[string]string {
	p := map[string]string{"run": run}
	if strings.HasPrefix(filepath.Base(file), "02_") {
		p["scratch"] = t.TempDir()
	}
	return p
}

func TestEveryNotebookExecutesOnARun(t *testing.T) {
	run := finishedRun(t)
	env, err := kernel.Setup(t.Context(), "..", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, file string) {
		out := filepath.Join(t.TempDir(), "executed.ipynb")
		report, err := env.RunNotebook(t.Context(), file, out, kernel.RunOptions{Params: parameters(t, file, run), CellTimeout: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		executed, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if figures, unnamed := strings.Count(string(executed), "<img "), strings.Count(string(executed), `alt=\"\"`); figures == 0 || unnamed > 0 {
			t.Errorf("%d figures, %d of them without a text for who can't see them", figures, unnamed)
		}
		if len(executed) > mostExecutedBytes {
			t.Errorf("%d bytes once executed, more than %d", len(executed), mostExecutedBytes)
		}
		t.Logf("%d cells in %v, %d kB executed", len(report.Cells), report.Duration.Round(time.Second), len(executed)/1000)
	})
}

// The program that a notebook is exported to draws the same pictures, to the last bit, and says the same.
func TestAnExportedNotebookGivesTheSameResult(t *testing.T) {
	run := finishedRun(t)
	env, err := kernel.Setup(t.Context(), "..", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	const file = "04_error_plotting.ipynb"
	dir := t.TempDir()
	executed := filepath.Join(dir, "executed.ipynb")
	if _, err := env.RunNotebook(t.Context(), file, executed, kernel.RunOptions{Params: parameters(t, file, run)}); err != nil {
		t.Fatal(err)
	}
	program, err := kernel.ExportNotebook(file, parameters(t, file, run))
	if err != nil {
		t.Fatal(err)
	}
	source, binary := filepath.Join(dir, "program.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, program, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	pictures, texts := shown(t, executed)
	for _, want := range texts {
		if !strings.Contains(string(said), want) {
			t.Errorf("the program does not say %q", want)
		}
	}
	drawn := map[string]bool{}
	names, _ := filepath.Glob(filepath.Join(dir, "figures", "*.png"))
	for _, name := range names {
		picture, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		drawn[string(picture)] = true
	}
	for i, picture := range pictures {
		if !drawn[picture] {
			t.Errorf("the notebook's picture %d is none of the program's %d", i+1, len(drawn))
		}
	}
	if len(pictures) < 5 || len(texts) < 20 {
		t.Errorf("only %d pictures and %d texts were compared", len(pictures), len(texts))
	}
}

var (
	picture = regexp.MustCompile(`base64,([A-Za-z0-9+/=]+)`)
	text    = regexp.MustCompile(`<(?:td|th|p)[^>]*>([^<]+)<`)
)

// shown lists the pictures and the texts in the outputs of an executed notebook.
func shown(t *testing.T, file string) (pictures, texts []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Outputs []struct {
				Data map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(data, &nb); err != nil {
		t.Fatal(err)
	}
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			var lines []string
			page := ""
			if raw := o.Data["text/html"]; json.Unmarshal(raw, &lines) == nil {
				page = strings.Join(lines, "")
			} else if raw != nil {
				_ = json.Unmarshal(raw, &page)
			}
			for _, m := range picture.FindAllStringSubmatch(page, -1) {
				b, err := base64.StdEncoding.DecodeString(m[1])
				if err != nil {
					t.Fatal(err)
				}
				pictures = append(pictures, string(b))
			}
			for _, m := range text.FindAllStringSubmatch(page, -1) {
				texts = append(texts, html.UnescapeString(m[1]))
			}
		}
	}
	return pictures, texts
}
