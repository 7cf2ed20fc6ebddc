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
	for name, value := range map[string]string{"run": run, "scratch": filepath.Join(scratch, "study")} {
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
		source, err := ipynb.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		whatCellsShow(t, source, data)
		figuresAreCaptioned(t, strings.TrimSuffix(filepath.Base(file), ".ipynb"), source, string(data))
		t.Logf("%d kB executed", len(data)/1000)
	})
}

// whatCellsShow checks that every cell ran, none failed, and each that shows something has it among its outputs: a kernel under
// load must lose nothing.
func whatCellsShow(t *testing.T, source *ipynb.Notebook, data []byte) {
	t.Helper()
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
	shows := shownBy(source, "Figure", "Image", "Explore", "Table", "Note", "Check")
	for i, c := range nb.Cells {
		if c.CellType == "code" && c.Count == nil {
			t.Errorf("cell %s did not run", c.ID)
		}
		shown := 0
		for _, o := range c.Outputs {
			switch o.Type {
			case "error":
				t.Errorf("cell %s failed", c.ID)
			case "display_data", "execute_result":
				shown++
			}
		}
		if shown == 0 && shows.MatchString(statements(source, i)) {
			t.Errorf("cell %s shows nothing", c.ID)
		}
	}
}

// figuresAreCaptioned checks that each figure has a caption and each quantity in it a unit, that there are as many as the first cell
// tells a reader to expect, and that those are among them which the README promises.
func figuresAreCaptioned(t *testing.T, name string, source *ipynb.Notebook, page string) {
	t.Helper()
	var all []string
	for _, caption := range captions.FindAllStringSubmatch(page, -1) {
		if len(caption[1]) < 40 {
			t.Errorf("a figure's caption says no more than %q", caption[1])
		}
		for _, quantity := range quantities(html.UnescapeString(caption[1])) {
			if !hasUnit(quantity) {
				t.Errorf("%q has no unit in %q", quantity, caption[1])
			}
		}
		all = append(all, html.UnescapeString(caption[1]))
	}
	pictures := strings.Count(page, "data:image/png")
	if pictures != len(all) {
		t.Errorf("%d figures, %d captions", pictures, len(all))
	}
	if m := expected.FindStringSubmatch(source.Source(0)); m == nil || numbers[strings.ToLower(m[1])] != pictures {
		t.Errorf("%d figures, but a reader is told to expect %q", pictures, m)
	}
	for what, caption := range figures[name] {
		if !regexp.MustCompile(caption).MatchString(strings.Join(all, "\n")) {
			t.Errorf("no figure of %q", what)
		}
	}
}

var (
	captions = regexp.MustCompile(`<figcaption[^>]*>([^<]*)</figcaption>`)
	expected = regexp.MustCompile(`\*\*What to expect\.\*\* (\w+) figures`)
	numbers  = map[string]int{"four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "sixteen": 16}
	axes     = regexp.MustCompile(`([^.:]+) against ([^.,]+)`)
	colours  = regexp.MustCompile(`, ([^,]*) from [−\d.]+ to [−\d.]+$`)
)

// quantities are what axes and colour bars show, as captions name them.
func quantities(caption string) (names []string) {
	if _, panels, found := strings.Cut(caption, "Images over depth and lateral position in mm: "); found {
		for panel := range strings.SplitSeq(strings.TrimSuffix(panels, "."), "; ") {
			if m := colours.FindStringSubmatch(panel); m != nil {
				names = append(names, m[1])
			}
		}
		return names
	}
	if strings.Contains(caption, "Receiver operating characteristic") {
		return nil // rates
	}
	for _, m := range axes.FindAllStringSubmatch(caption, -1) {
		names = append(names, m[1], m[2])
	}
	return names
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
