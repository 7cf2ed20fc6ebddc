package ipynb

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// a lesson in form: prose and code by turns.
var lesson = []string{
	"# A lesson\n\n**Aims.** To see. **What to expect.** A minute on a laptop with two cores. **What is simulated.** All; not a medical device. See [the next](02_next.ipynb).",
	"const run = \"../runs\"\nconst seed = 1",
	"Now look.",
	"import (\n\t\"fmt\"\n)\n\ntype point struct{ X int }\n\n%%\np := point{X: seed}\nfmt.Println(run, p)",
	"And check.",
	"import \"elastography/plots/show\"\n\n%%\nshow.Check(true, \"fine\")",
	"## Where to go next\n\n`02_next`",
}

var testKernel = Kernel{Name: "k", Display: "K (Go)", Language: "go"}

// write stores cells as a notebook whose odd cells are code, after edit has had its way with the whole.
func write(t *testing.T, cells []string, edit func(nb map[string]any, cells []map[string]any)) string {
	t.Helper()
	var list []map[string]any
	for i, source := range cells {
		c := map[string]any{"id": string(rune('a' + i)), "cell_type": "markdown", "metadata": map[string]any{}, "source": source}
		if i%2 == 1 {
			c["cell_type"], c["outputs"], c["execution_count"] = "code", []any{}, nil
		}
		list = append(list, c)
	}
	list[1]["metadata"] = map[string]any{"tags": []string{ParametersTag}}
	nb := map[string]any{"nbformat": 4, "nbformat_minor": 5, "metadata": map[string]any{"kernelspec": testKernel}}
	if edit != nil {
		edit(nb, list)
	}
	nb["cells"] = list
	data, err := json.Marshal(nb)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"01_lesson.ipynb": data, "02_next.ipynb": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "01_lesson.ipynb")
}

func TestALessonInFormHasNoProblems(t *testing.T) {
	problems, err := Check(write(t, lesson, nil), testKernel)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestEachLackIsToldWithItsCell(t *testing.T) {
	set := func(cell int, field string, v any) func(map[string]any, []map[string]any) {
		return func(_ map[string]any, cells []map[string]any) { cells[cell][field] = v }
	}
	source := func(cell int, old, new string) func(map[string]any, []map[string]any) {
		return func(_ map[string]any, cells []map[string]any) {
			cells[cell]["source"] = strings.Replace(cells[cell]["source"].(string), old, new, 1)
		}
	}
	for what, c := range map[string]struct {
		edit func(map[string]any, []map[string]any)
		says string
	}{
		"outputs":       {set(3, "outputs", []any{1}), "cell 4 (d): it has stored outputs"},
		"count":         {set(3, "execution_count", 2), "stored outputs"},
		"id":            {set(3, "id", "b"), "the id is repeated"},
		"kernel":        {func(nb map[string]any, _ []map[string]any) { nb["metadata"] = map[string]any{} }, `expected "K (Go)"`},
		"format":        {func(nb map[string]any, _ []map[string]any) { nb["nbformat_minor"] = 4 }, "nbformat is 4.4"},
		"size":          {source(2, "look", strings.Repeat("look ", 25_000)), "bytes, more than"},
		"long cell":     {source(3, "p :=", strings.Repeat("_ = seed\n", 15)+"p :="), "at most 15"},
		"wide line":     {source(3, "p :=", "_ = \""+strings.Repeat("x", 130)+"\"\np :="), "scrolled"},
		"format of go":  {source(3, "p := ", "p:="), "gofmt"},
		"no go":         {source(3, "p :=", "p ="+" := "), "is no Go"},
		"magic":         {source(3, "%%\n", "!ls\n\n%%\n"), `special line "!ls"`},
		"guessed":       {source(3, "\"fmt\"", "\"os\""), "it uses fmt, which no cell up to here declares or imports"},
		"from nowhere":  {source(3, "X: seed", "X: grain"), "it uses grain"},
		"machine path":  {source(1, "../runs", "/home/me/runs"), "path of one machine"},
		"link":          {source(0, "02_next.ipynb", "03_lost.ipynb"), "03_lost.ipynb leads nowhere"},
		"next notebook": {source(6, "`02_next`", "`07_lost`"), "notebook 07_lost"},
		"no parameters": {set(1, "metadata", map[string]any{}), "must be tagged"},
		"two":           {set(3, "metadata", map[string]any{"tags": []string{ParametersTag}}), "only the first code cell"},
		"aims":          {source(0, "**Aims.**", ""), "**Aims.**"},
		"simulated":     {source(0, "**What is simulated.**", ""), "What is simulated"},
		"time":          {source(0, "A minute", "Soon"), "minute"},
		"check":         {source(5, "show.Check(true, ", "show.Note("), "is no check"},
		"next":          {source(6, "Where to go next", "The end"), "where to go next"},
	} {
		t.Run(what, func(t *testing.T) {
			problems, err := Check(write(t, lesson, c.edit), testKernel)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, p := range problems {
				all = append(all, p.String())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, c.says) {
				t.Errorf("told %q, expected %q", text, c.says)
			}
		})
	}
}
