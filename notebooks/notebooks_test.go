// Package notebooks holds the study's notebooks and nothing else; its tests hold them to their form.
package notebooks_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// A quantity on an axis or a colour bar has its unit in brackets; these have none.
var unitless = regexp.MustCompile(`(?i)epoch|component|share|sensitivity|specificity|probability|density|count|group|plane|score|t-sne`)

func TestEveryAxisAndColourBarHasAUnit(t *testing.T) {
	label := regexp.MustCompile(`\b(?:XLabel|YLabel|Unit): "([^"]*)"`)
	each(t, func(t *testing.T, file string) {
		nb, err := ipynb.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range nb.Len() {
			for _, m := range label.FindAllStringSubmatch(nb.Source(i), -1) {
				if nb.IsCode(i) && !regexp.MustCompile(`\(.+\)$`).MatchString(m[1]) && !unitless.MatchString(m[1]) {
					t.Errorf("cell %d (%s): %q has no unit", i+1, nb.ID(i), m[1])
				}
			}
		}
	})
}

// The text before a figure says what to see in it: more than a heading and a sentence or two that name it.
func TestTheTextBeforeAFigureSaysWhatToSee(t *testing.T) {
	figure := regexp.MustCompile(`(?m)^%%(.|\n)*(show\.(Figure|Image|Explore)\(|sideBySide\(|lines\()`)
	sentence := regexp.MustCompile(`[.?!:](\s|\*|$)`)
	each(t, func(t *testing.T, file string) {
		nb, err := ipynb.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < nb.Len(); i++ {
			if !nb.IsCode(i) || !figure.MatchString(nb.Source(i)) {
				continue
			}
			text := nb.Source(i-1) + "\n" + nb.Source(max(0, i-3)) // a helper may stand between the words and the figure
			if len(sentence.FindAllString(text, -1)) < 3 {
				t.Errorf("cell %d (%s): the text before the figure is %q", i+1, nb.ID(i), text)
			}
		}
	})
}

// The README's table of figures leads to every notebook, and to none that isn't there.
func TestTheReadmeNamesTheNotebookOfEachFigure(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "\n## Figures")
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`(\\d\\d_[a-z_]+)`").FindAllStringSubmatch(table, -1) {
		named[m[1]] = true
		if _, err := os.Stat(m[1] + ".ipynb"); err != nil {
			t.Error(err)
		}
	}
	each(t, func(t *testing.T, file string) {
		if name := strings.TrimSuffix(filepath.Base(file), ".ipynb"); !named[name] {
			t.Errorf("README.md names no figure of %s", name)
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

// finishedRun is the run folder that SSWE_RUN names. `SSWE_RUN=$PWD/runs/reproduce go test ./notebooks -v` looks at what the
// notebooks show once executed, and executes those that `go run . reproduce` has not, so the tests of every day leave it out.
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

// parameters sets what a notebook declares of a run and a folder of its own; the notebooks that make a study share that folder.
func parameters(t *testing.T, file, run string) map[string]string {
	t.Helper()
	nb, err := ipynb.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	p := map[string]string{}
	for name, value := range map[string]string{"run": run, "scratch": scratch} {
		if nb.SetParameters(map[string]string{name: value}) == nil {
			p[name] = value
		}
	}
	return p
}

// scratch is a folder for the tests of this package.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "sswe-notebooks-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// executed is a notebook executed on the run: as `reproduce` left it there or, where that is missing or of another version, anew.
func executed(t *testing.T, env *kernel.Env, file, run string) string {
	t.Helper()
	if left := filepath.Join(run, "notebooks", filepath.Base(file)); sameCells(file, left) {
		t.Logf("executed by reproduce: %s", left)
		return left
	}
	out := filepath.Join(t.TempDir(), "executed.ipynb")
	report, err := env.RunNotebook(t.Context(), file, out, kernel.RunOptions{Params: parameters(t, file, run), CellTimeout: 8 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cells in %v", len(report.Cells), report.Duration.Round(time.Second))
	return out
}

// sameCells tells whether two notebooks differ in nothing but outputs and what the parameter cell says.
func sameCells(a, b string) bool {
	one, err1 := ipynb.Read(a)
	two, err2 := ipynb.Read(b)
	if err1 != nil || err2 != nil || one.Len() != two.Len() {
		return false
	}
	for i := range one.Len() {
		if one.Source(i) != two.Source(i) && !one.HasTag(i, ipynb.ParametersTag) {
			return false
		}
	}
	return true
}

func TestEveryNotebookExecutedIsCompleteAndSmall(t *testing.T) {
	run := finishedRun(t)
	env, err := kernel.Setup(t.Context(), "..", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, file string) {
		data, err := os.ReadFile(executed(t, env, file, run))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > mostExecutedBytes {
			t.Errorf("%d bytes once executed, more than %d", len(data), mostExecutedBytes)
		}
		var nb struct {
			Cells []struct {
				CellType string `json:"cell_type"`
				ID       string `json:"id"`
				Count    *int   `json:"execution_count"`
				Outputs  []struct {
					Type string `json:"output_type"`
				} `json:"outputs"`
			} `json:"cells"`
		}
		if err := json.Unmarshal(data, &nb); err != nil {
			t.Fatal(err)
		}
		for _, c := range nb.Cells {
			if c.CellType == "code" && c.Count == nil {
				t.Errorf("cell %s did not run", c.ID)
			}
			for _, o := range c.Outputs {
				if o.Type == "error" {
					t.Errorf("cell %s failed", c.ID)
				}
			}
		}
		figures := strings.Count(string(data), "data:image/png")
		for _, caption := range captions.FindAllStringSubmatch(string(data), -1) {
			if figures--; len(caption[1]) < 40 {
				t.Errorf("a figure's caption says no more than %q", caption[1])
			}
		}
		if figures != 0 {
			t.Errorf("%d figures without a caption", figures)
		}
		t.Logf("%d kB executed", len(data)/1000)
	})
}

var captions = regexp.MustCompile(`<figcaption[^>]*>([^<]*)</figcaption>`)

// The program that a notebook is exported to draws the same pictures, to the last bit, and says the same.
func TestAnExportedNotebookGivesTheSameResult(t *testing.T) {
	run := finishedRun(t)
	env, err := kernel.Setup(t.Context(), "..", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	const file = "04_error_plotting.ipynb"
	dir := t.TempDir()
	notebook := executed(t, env, file, run)
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
	pictures, texts := shown(t, notebook)
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
