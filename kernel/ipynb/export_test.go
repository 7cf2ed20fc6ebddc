package ipynb

import (
	"strings"
	"testing"
)

func export(t *testing.T, cells ...string) (string, error) {
	t.Helper()
	for len(cells) < 2 {
		cells = append([]string{""}, cells...)
	}
	nb, err := Read(write(t, cells, nil))
	if err != nil {
		t.Fatal(err)
	}
	out, err := nb.Export("01_lesson")
	return string(out), err
}

func TestAProgramDeclaresImportsOnceAndRunsTheCellsInOrder(t *testing.T) {
	got, err := export(t, lesson...)
	if err != nil {
		t.Fatal(err)
	}
	const want = `// Exported from the notebook 01_lesson. Run it inside the checkout, in the notebook's folder: go run FILE.go
package main

import (
	"fmt"

	"elastography/plots/show"
)

func main() {
	cell04()
	cell06()
}

// Cell 2 (b).

const run = "../runs"
const seed = 1

// Cell 4 (d).

type point struct{ X int }

func cell04() {
	p := point{X: seed}
	fmt.Println(run, p)
}

// Cell 6 (f).

func cell06() {
	show.Check(true, "fine")
}
`
	if got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

func TestACellThatIsNoPlainGoIsRefusedByName(t *testing.T) {
	for source, says := range map[string]string{
		"!ls":                 `cell 2 (b) has the special line "!ls"`,
		"%% --n=9\nprintln()": "gives itself arguments",
		"func main() {}":      "cell 2 (b) declares main",
		"x := 1":              "cell 2 (b) is no Go",
	} {
		if _, err := export(t, "", source); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, expected %q", source, err, says)
		}
	}
	if _, err := export(t, "", "const a = 1", "", "const a = 2"); err == nil || !strings.Contains(err.Error(), "cell 4 (d) declares a anew, which cell 2 did before") {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatComputesChoosesThePlugin(t *testing.T) {
	got, err := export(t, "", "import \"elastography/sswe\"\n\n%%\n_, _ = sswe.OpenBackend()")
	if err != nil || !strings.Contains(got, "pjrt.Use(context.Background())") || !strings.Contains(got, `"elastography/kernel/pjrt"`) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTheFirstStatementIsNoImport(t *testing.T) {
	for source, want := range map[string]string{
		"import (\n\t\"fmt\"\n)\n\n%%\nfmt.Println()": "fmt.Println()",
		"import \"fmt\"\n// why\nfunc f() {}":         "func f() {}",
		"!ls":                                         "!ls",
		"import \"fmt\"":                              "import \"fmt\"",
	} {
		if got := FirstStatement(source); got != want {
			t.Errorf("%q: %q", source, got)
		}
	}
}
