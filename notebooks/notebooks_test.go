// Package notebooks holds the study's notebooks and nothing else; its tests hold them to their form.
package notebooks_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"elastography/kernel"
)

var names = []string{"01_data_preparation", "02_training", "03_histopathology_comparison", "04_error_plotting"}

type cell struct {
	Type           string   `json:"cell_type"`
	ID             string   `json:"id"`
	Lines          []string `json:"source"`
	Outputs        []any    `json:"outputs"`
	ExecutionCount *int     `json:"execution_count"`
	Metadata       struct {
		Tags []string `json:"tags"`
	} `json:"metadata"`
}

func (c cell) source() string { return strings.Join(c.Lines, "") }

// parts splits a code cell at GoNB's mark: what it declares, and the statements that it runs.
func (c cell) parts() (declarations, statements string) {
	before, after, found := strings.Cut("\n"+c.source(), "\n%%")
	if !found {
		return c.source(), ""
	}
	return strings.TrimPrefix(before, "\n"), strings.TrimPrefix(after, "\n")
}

type notebook struct {
	Cells       []cell `json:"cells"`
	Format      int    `json:"nbformat"`
	FormatMinor int    `json:"nbformat_minor"`
	Metadata    struct {
		Kernel struct {
			Name     string `json:"name"`
			Display  string `json:"display_name"`
			Language string `json:"language"`
		} `json:"kernelspec"`
	} `json:"metadata"`
}

func (n notebook) code() (cells []cell) {
	for _, c := range n.Cells {
		if c.Type == "code" {
			cells = append(cells, c)
		}
	}
	return cells
}

func read(t *testing.T, file string) notebook {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var n notebook
	if err := json.Unmarshal(b, &n); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return n
}

// each runs a test on every notebook.
func each(t *testing.T, test func(t *testing.T, n notebook)) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) { test(t, read(t, name+".ipynb")) })
	}
}

func TestANotebookIsStoredWithoutOutputsForTheProjectsKernel(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		if n.Format != 4 || n.FormatMinor != 5 {
			t.Errorf("nbformat is %d.%d, expected 4.5", n.Format, n.FormatMinor)
		}
		if k := n.Metadata.Kernel; k.Name != kernel.Name || k.Display != kernel.DisplayName || k.Language != "go" {
			t.Errorf("kernel is %+v, expected %s, %q, go", k, kernel.Name, kernel.DisplayName)
		}
		valid, seen := regexp.MustCompile(`^[a-z0-9-]{1,64}$`), map[string]bool{}
		for _, c := range n.Cells {
			if !valid.MatchString(c.ID) || seen[c.ID] {
				t.Errorf("cell id %q is repeated or not made of small letters, digits and hyphens", c.ID)
			}
			seen[c.ID] = true
			if len(c.Outputs) > 0 || c.ExecutionCount != nil {
				t.Errorf("cell %s has stored outputs: clear them before saving", c.ID)
			}
		}
	})
}

func TestANotebookReadsAsALesson(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		first, last := n.Cells[0], n.Cells[len(n.Cells)-1]
		for _, want := range []string{"# ", "**Aims.**", "**What to expect.**", "**What is simulated", "not", "medical device", "laptop with two cores"} {
			if !strings.Contains(first.source(), want) {
				t.Errorf("the first cell lacks %q", want)
			}
		}
		if !strings.Contains(last.source(), "Where to go next") {
			t.Error("the last cell does not say where to go next")
		}
		code := n.code()
		if !strings.Contains(code[len(code)-1].source(), "show.Check(") {
			t.Error("the last code cell is no check")
		}
		shows := regexp.MustCompile(`show\.(Figure|Image|Table)\(|sideBySide\(|lines\(`)
		for i, c := range n.Cells {
			if _, run := c.parts(); c.Type == "code" && shows.MatchString(run) && n.Cells[i-1].Type != "markdown" {
				t.Errorf("cell %s shows something without prose before it", c.ID)
			}
		}
	})
}

func TestTheOneParameterCellComesFirstAndTakesTheRun(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		for i, c := range n.code() {
			tagged := len(c.Metadata.Tags) == 1 && c.Metadata.Tags[0] == "parameters"
			if tagged != (i == 0) {
				t.Errorf("cell %s: the first code cell, and only that, must be tagged parameters", c.ID)
			}
		}
		if !strings.Contains(n.code()[0].source(), `const run = "../runs/reproduce"`) {
			t.Error("the parameter run does not point at the default run folder")
		}
	})
}

func TestCellsAreShortFormattedAndFreeOfMachinePaths(t *testing.T) {
	absolute := regexp.MustCompile(`["'(\s](/(home|root|work|tmp|usr|Users|mnt|opt)/|[A-Z]:\\)`)
	each(t, func(t *testing.T, n notebook) {
		for _, c := range n.Cells {
			if absolute.MatchString(c.source()) {
				t.Errorf("cell %s names a path of one machine", c.ID)
			}
		}
		for _, c := range n.code() {
			lines := 0
			for line := range strings.Lines(c.source()) {
				if strings.TrimSpace(line) != "" {
					lines++
				}
				if width := len([]rune(strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\n"))); width > 120 {
					t.Errorf("cell %s: a line of %d columns has to be scrolled: %s", c.ID, width, line)
				}
			}
			if lines > 15 {
				t.Errorf("cell %s has %d lines: one idea takes at most 15", c.ID, lines)
			}
			declarations, statements := c.parts()
			for _, part := range []string{declarations, statements} {
				part = strings.TrimRight(part, "\n")
				if formatted, err := format.Source([]byte(part)); err != nil || string(formatted) != part {
					t.Errorf("cell %s is not formatted as gofmt does (%v)", c.ID, err)
				}
			}
		}
	})
}

// An import that GoNB has to guess costs a second at each run of the cell.
func TestEveryImportIsWrittenOutBeforeItIsUsed(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		imported := map[string]bool{}
		for _, c := range n.code() {
			declarations, statements := c.parts()
			file := parse(t, c, "package lesson\n"+declarations+"\nfunc _() {\n"+statements+"\n}\n")
			for _, i := range file.Imports {
				p, _ := strconv.Unquote(i.Path.Value)
				imported[path.Base(p)] = true
			}
			selected := map[*ast.Ident]bool{}
			ast.Inspect(file, func(node ast.Node) bool {
				if s, ok := node.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok {
						selected[x] = true
					}
				}
				return true
			})
			for _, name := range file.Unresolved {
				if selected[name] && !imported[name.Name] {
					t.Errorf("cell %s uses package %s, which no cell up to here imports", c.ID, name.Name)
				}
			}
		}
	})
}

func parse(t *testing.T, c cell, source string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), c.ID, source, 0)
	if err != nil {
		t.Fatalf("cell %s: %v", c.ID, err)
	}
	return file
}

// All cells of a notebook together are one program, each cell's statements a function: when a package changes under a
// notebook, this fails in seconds, without a kernel.
func TestEveryCellCompilesAgainstTheCheckout(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		var imports, body strings.Builder
		for i, c := range n.code() {
			declarations, statements := c.parts()
			fset := token.NewFileSet()
			source := "package lesson\n" + declarations
			file, err := parser.ParseFile(fset, c.ID, source, 0)
			if err != nil {
				t.Fatalf("cell %s: %v", c.ID, err)
			}
			end := len("package lesson\n")
			for _, s := range file.Imports {
				fmt.Fprintf(&imports, "import %s\n", s.Path.Value)
			}
			for _, d := range file.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
					end = fset.Position(g.End()).Offset
				}
			}
			fmt.Fprintf(&body, "//line %s:1\n%s\nfunc cell%d() {\n%s\n}\n", c.ID, source[end:], i, statements)
		}
		compile(t, "package lesson\n"+imports.String()+body.String())
	})
}

// compile builds a package that exists only in an overlay, so that it may use the module without being in it.
func compile(t *testing.T, source string) {
	t.Helper()
	dir, err := filepath.Abs("lesson_of_the_test")
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	file, overlay := filepath.Join(tmp, "lesson.go"), filepath.Join(tmp, "overlay.json")
	b, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, "lesson.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{file: []byte(source), overlay: b} {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "./lesson_of_the_test")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the notebook does not compile: %v\n%s", err, out)
	}
}

// A developer's tool: `SSWE_RUN=../runs/reproduce go test ./notebooks -run Executes -v` executes all notebooks on that run, as
// `go run . reproduce` does at its end, so the tests of every day leave it out.
func TestEveryNotebookExecutesOnARun(t *testing.T) {
	run := os.Getenv("SSWE_RUN")
	if run == "" {
		t.Skip("set SSWE_RUN to a run folder to execute the notebooks; `go run . reproduce` does it too")
	}
	run, err := filepath.Abs(run)
	if err != nil {
		t.Fatal(err)
	}
	root, err := kernel.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	env, err := kernel.Setup(t.Context(), root, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			params := map[string]string{"run": run}
			if name == "02_training" {
				params["scratch"] = t.TempDir()
			}
			out := filepath.Join(t.TempDir(), name+".ipynb")
			report, err := env.RunNotebook(t.Context(), name+".ipynb", out, kernel.RunOptions{Params: params, CellTimeout: 5 * time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range report.Cells {
				if c.Duration > time.Minute {
					t.Errorf("cell %d took %v: a reader waits a minute at most", c.Index+1, c.Duration)
				}
			}
			executed, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if figures, unnamed := strings.Count(string(executed), "<img "), strings.Count(string(executed), `alt=\"\"`); figures == 0 || unnamed > 0 {
				t.Errorf("%d figures, %d of them without a text for who can't see them", figures, unnamed)
			}
			t.Logf("%d cells in %v, %d kB executed", len(report.Cells), report.Duration.Round(time.Second), len(executed)/1000)
		})
	}
}
