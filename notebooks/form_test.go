// Package notebooks holds the study's notebooks and nothing else; its tests hold them to their form.
package notebooks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elastography/kernel"
	"elastography/kernel/ipynb"
)

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

// lessons are the notebooks and the workshop's, whose exercises have the words of its solutions.
func lessons(t *testing.T, test func(t *testing.T, nb *ipynb.Notebook)) {
	read := func(t *testing.T, file string) {
		nb, err := ipynb.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		test(t, nb)
	}
	each(t, read)
	t.Run("workshop", func(t *testing.T) { read(t, "workshop/solutions.ipynb") })
}

// shownBy are the functions that put something before the reader.
func shownBy(nb *ipynb.Notebook, show ...string) *regexp.Regexp {
	names := []string{`show\.(?:` + strings.Join(show, "|") + `)`}
	calls := func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[^\w.])(?:` + strings.Join(names, "|") + `)\(`) }
	for i := range nb.Len() { // helpers of the notebook, in the order in which they are declared
		if !nb.IsCode(i) {
			continue
		}
		declarations, _, _ := strings.Cut("\n"+nb.Source(i), "\n%%")
		for _, function := range strings.Split(declarations, "\nfunc ")[1:] {
			if name, body, _ := strings.Cut(function, "("); calls().MatchString(body) {
				names = append(names, regexp.QuoteMeta(name))
			}
		}
	}
	return calls()
}

// statements are the part of a cell that runs when the cell does.
func statements(nb *ipynb.Notebook, i int) string {
	if !nb.IsCode(i) {
		return ""
	}
	_, after, _ := strings.Cut("\n"+nb.Source(i), "\n%%")
	return after
}

func TestWhatIsShownIsIntroduced(t *testing.T) {
	lessons(t, func(t *testing.T, nb *ipynb.Notebook) {
		shown := shownBy(nb, "Figure", "Image", "Table", "Explore")
		for i := 1; i < nb.Len(); i++ {
			if shown.MatchString(statements(nb, i)) && nb.IsCode(i-1) {
				t.Errorf("cell %d (%s) shows something without prose before it", i+1, nb.ID(i))
			}
		}
	})
}

var (
	heading  = regexp.MustCompile(`(?m)^#.*$`)
	sentence = regexp.MustCompile(`[.?!]["”*)]*(\s|$)`)
	directs  = regexp.MustCompile(`(?i)\?|\b(look|compare|read|see|watch|find|ask|notice|mind|move|follow)\b`)
)

// The text right before a figure says what to see in it: no sentence or two that only name it, and one that directs the eye.
func TestTheTextBeforeAFigureSaysWhatToSee(t *testing.T) {
	lessons(t, func(t *testing.T, nb *ipynb.Notebook) {
		shown, figures := shownBy(nb, "Figure", "Image", "Explore"), 0
		for i := 1; i < nb.Len(); i++ {
			if !shown.MatchString(statements(nb, i)) {
				continue
			}
			figures++
			text := heading.ReplaceAllString(nb.Source(i-1), "")
			if nb.IsCode(i-1) || len(sentence.FindAllString(text, -1)) < 3 || !directs.MatchString(text) {
				t.Errorf("cell %d (%s): the text before the figure is %q", i+1, nb.ID(i), text)
			}
		}
		if figures < 2 {
			t.Errorf("only %d figures were found", figures)
		}
	})
}

// A quantity on an axis or a colour bar has its unit in brackets; these have none.
var (
	unitless = regexp.MustCompile(`(?i)epoch|component|share|sensitivity|specificity|probability|density|count|group|plane|score|t-sne`)
	bracket  = regexp.MustCompile(`\([^()]+\)$|\d kPa$`)
)

func hasUnit(label string) bool { return bracket.MatchString(label) || unitless.MatchString(label) }

func TestEveryAxisAndColourBarHasAUnit(t *testing.T) {
	label := regexp.MustCompile(`\b(?:XLabel|YLabel|Unit): "([^"]*)"`)
	lessons(t, func(t *testing.T, nb *ipynb.Notebook) {
		for i := range nb.Len() {
			for _, m := range label.FindAllStringSubmatch(nb.Source(i), -1) {
				if nb.IsCode(i) && !hasUnit(m[1]) {
					t.Errorf("cell %d (%s): %q has no unit", i+1, nb.ID(i), m[1])
				}
			}
		}
	})
}

// figures is what the README's table promises of each notebook, and what the caption of that figure says.
var figures = map[string]map[string]string{
	"01_data_preparation": {"a patient from anatomy to B-mode and SWE": `Zones and tumour foci(?s:.*)B-mode; SWE, Young's modulus`},
	"02_training": {"network": `Encoder-decoder of \d+ layers`, "learning curves": `Mean absolute error \(kPa\) against epoch`,
		"what the network looks at": `What each patch adds at the ring`},
	"03_histopathology_comparison": {"panels with tumour outlines": `imaging planes, each as .* with the outlines of gland and tumour`,
		"ROC of SWE and sSWE": `Receiver operating characteristic .*SWE \(measured\).*sSWE \(synthetic\)`},
	"04_error_plotting": {"baselines": `Mean absolute error in kPa with intervals: sSWE network`, "error distribution": `histogram of [\d,]+ pixel errors`,
		"density": `Density of [\d,]+ pixels, synthetic against measured`, "Bland-Altman": `Bland-Altman plot`, "error by group": `in kPa by group`},
	"05_your_own_scans": {"what was found": `what was found: views, SWE box`, "imported": `SWE, imported, .*SWE, as drawn`,
		"fine-tuned": `sSWE, before, .*sSWE, fine-tuned`, "back as DICOM": `read back from the DICOM`},
	"06_scanners_and_latent_space": {"a second scanner": `reference, on second scanner`, "a device without SWE": `reference, on device without SWE`,
		"latent space of two scanners": `Latent features, t-SNE`},
	"07_thyroid": {"not retrained": `reference, on thyroid, not retrained`, "retrained": `retrained on the thyroid`},
}

// The README's table of figures leads to every notebook, and promises nothing that no test looks for in it once it is executed.
func TestTheReadmeNamesTheNotebookOfEachFigure(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "\n## Figures")
	table, _, _ = strings.Cut(table, "\n## ")
	row := regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(\\d\\d_[a-z_]+)` \\| `go run \\. notebook run notebooks/([a-z0-9_]+)\\.ipynb")
	named := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		named[m[2]] = true
		if m[2] != m[3] {
			t.Errorf("%s is to be had by running %s", m[2], m[3])
		}
		promised := figures[m[2]]
		for what := range promised {
			if !strings.Contains(m[1], what) {
				t.Errorf("%s is looked for in %s, but README.md says %q", what, m[2], m[1])
			}
		}
		_, listed, found := strings.Cut(m[1], ": ") // "the thyroid: not retrained, retrained"
		if !found {
			listed = m[1]
		}
		for what := range strings.SplitSeq(listed, ", ") {
			if promised[what] == "" {
				t.Errorf("README.md promises %q of %s, which no test looks for", what, m[2])
			}
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
