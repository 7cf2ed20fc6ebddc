// Package workshop holds the two-hour lesson; its tests solve the exercises, and fail to.
package workshop_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elastography/kernel"
	"elastography/kernel/ipynb"
)

func TestBothNotebooksAreInForm(t *testing.T) {
	for _, file := range []string{"exercises.ipynb", "solutions.ipynb"} {
		problems, err := kernel.CheckNotebook(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", file, p)
		}
	}
}

// The slides need no network: what they show lies in the checkout.
func TestTheSlidesShowWhatIsThere(t *testing.T) {
	slides, err := os.ReadFile("slides.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="?([^" >]+)`).FindAllSubmatch(slides, -1) {
		if _, err := os.Stat(filepath.FromSlash(string(m[1]))); err != nil {
			t.Error(err)
		}
	}
	if n := bytes.Count(slides, []byte("<section>")); !bytes.Contains(slides, fmt.Appendf(nil, "%d / %d ·", n, n)) {
		t.Errorf("the last of %d slides has another number", n)
	}
}

func read(t *testing.T, file string) *ipynb.Notebook {
	t.Helper()
	nb, err := ipynb.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return nb
}

func TestSolutionsDifferFromExercisesInTheExercisesAlone(t *testing.T) {
	exercises, solutions := read(t, "exercises.ipynb"), read(t, "solutions.ipynb")
	if exercises.Len() != solutions.Len() {
		t.Fatalf("%d cells and %d", exercises.Len(), solutions.Len())
	}
	found := 0
	for i := range exercises.Len() {
		switch same := exercises.Source(i) == solutions.Source(i); {
		case exercises.HasTag(i, "exercise"):
			found++
			if same || !strings.Contains(exercises.Source(i), "// your lines") {
				t.Errorf("cell %d is no exercise", i+1)
			}
		case !same:
			t.Errorf("cell %d (%s) differs", i+1, exercises.ID(i))
		}
	}
	if found != 4 {
		t.Errorf("%d exercises", found)
	}
}

// program exports a notebook and returns what it says when it is run on the run folder, which need not exist.
func program(t *testing.T, nb *ipynb.Notebook, run string) (said string, err error) {
	t.Helper()
	if err := nb.SetParameters(map[string]string{"run": run}); err != nil {
		t.Fatal(err)
	}
	source, err := nb.Export("workshop")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "program.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(file, source, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The solutions pass every check; what looks at a run's patients needs one, and comes after the exercises.
func TestTheSolutionsSolve(t *testing.T) {
	run, complete := os.LookupEnv("SSWE_RUN")
	said, err := program(t, read(t, "solutions.ipynb"), run)
	for _, want := range []string{"✓ 4 m/s are 48 kPa", "✓ a saturated pixel is a lower bound", "✓ 21 kPa, the median", "✓ specificity"} {
		if !strings.Contains(said, want) {
			t.Errorf("no word of %q", want)
		}
	}
	if complete && (err != nil || !strings.Contains(said, "✓ four exercises solved")) {
		t.Errorf("%v\n%s", err, said)
	}
}

// Each exercise, left as it is while the others are solved, fails with words that help.
func TestAnUnsolvedExerciseFailsHelpfully(t *testing.T) {
	hints := map[string]string{
		"speed":    "not yet: stiffnessKPa still returns 0: compute c",
		"loss":     "not yet: loss still returns -1: add up the absolute errors",
		"constant": "not yet: laziest still returns 0: try values",
		"cut":      "not yet: judge still returns 0, 0: count the tumour tiles",
	}
	exercises := read(t, "exercises.ipynb")
	for i := range exercises.Len() {
		if !exercises.HasTag(i, "exercise") {
			continue
		}
		t.Run(exercises.ID(i), func(t *testing.T) {
			nb := read(t, "solutions.ipynb")
			nb.SetSource(i, exercises.Source(i))
			said, err := program(t, nb, "nowhere")
			if want := hints[exercises.ID(i)]; err == nil || want == "" || !strings.Contains(said, want) {
				t.Errorf("%v, no word of %q in\n%s", err, want, said)
			}
		})
	}
}
