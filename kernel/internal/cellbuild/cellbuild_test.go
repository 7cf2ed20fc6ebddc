package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// notebook is a checkout with cells beside it, and a go command that keeps count of its builds.
type notebook struct {
	t                          *testing.T
	goTool, log, root, recipes string
}

func newNotebook(t *testing.T) *notebook {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot, dir := strings.TrimSpace(string(out)), t.TempDir()
	n := &notebook{t: t, goTool: filepath.Join(dir, "go", "bin", "go"), log: filepath.Join(dir, "log"),
		root: filepath.Join(dir, "checkout"), recipes: filepath.Join(dir, "recipes")}
	n.write(n.goTool, fmt.Sprintf("#!/bin/sh\necho build >>%s\nexec %s/bin/go \"$@\"\n", n.log, goroot))
	n.write(filepath.Join(dir, "go", "VERSION"), "go1.26")
	n.write(n.root+"/go.mod", "module study\n\ngo 1.26\n")
	n.write(n.root+"/probe/probe.go", "package probe\n\nimport (\n\t_ \"embed\"\n\t\"study/tissue\"\n)\n\n//go:embed name.txt\nvar name string\n\nfunc Says() string { return name + tissue.Name }\n")
	n.write(n.root+"/probe/name.txt", "linear ")
	n.write(n.root+"/tissue/tissue.go", "package tissue\n\nconst Name = \"prostate\"\n")
	t.Setenv("GOFLAGS", "-ldflags=-s")
	t.Setenv("GOWORK", "")
	return n
}

func (n *notebook) write(name, text string) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// kernel makes the folder of a kernel's cells.
func (n *notebook) kernel(module string) *kernel {
	n.t.Helper()
	k := &kernel{notebook: n, dir: filepath.Join(n.t.TempDir(), module)}
	k.program = filepath.Join(k.dir, module)
	n.write(k.dir+"/go.mod", "module "+module+"\n\ngo 1.26\n\nreplace study => "+n.root+"\n") // as gonb does
	n.write(k.dir+"/go.work", "go 1.26\n\nuse (\n\t.\n\t"+n.root+"\n)\n")
	return k
}

type kernel struct {
	*notebook
	dir, program string
}

const cellText = "package main\n\nimport (\n\t\"fmt\"\n\t\"study/probe\"\n)\n\nfunc main() {\n\tfmt.Println(probe.Says(), EDIT)\n}\n"

// build writes a cell's program, or cellText with the edit in it, and builds it.
func (k *kernel) build(text string) (said string, err error) {
	k.t.Helper()
	if !strings.Contains(text, "package main") {
		text = strings.ReplaceAll(cellText, "EDIT", text)
	}
	k.write(filepath.Join(k.dir, mainGo), text)
	var b bytes.Buffer
	err = builder{k.goTool, k.root, k.recipes, k.dir, &b}.run([]string{"build", "-o", k.program})
	return b.String(), err
}

// prints builds and runs a cell.
func (k *kernel) prints(text string) string {
	k.t.Helper()
	if said, err := k.build(text); err != nil {
		k.t.Fatalf("%v\n%s", err, said)
	}
	out, err := exec.Command(k.program).CombinedOutput()
	if err != nil {
		k.t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// builds is how often go was asked since the last call.
func (n *notebook) builds() int {
	data, _ := os.ReadFile(n.log)
	_ = os.Remove(n.log)
	return strings.Count(string(data), "build")
}

func TestAnEditedCellIsBuiltWithoutAskingGoAgain(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	if got, asked := k.prints("1"), k.builds(); got != "linear prostate 1" || asked != 1 {
		t.Errorf("first: %q, go was asked %d times", got, asked)
	}
	for _, edit := range []string{"2", "3", "2", "1"} {
		if got, asked := k.prints(edit), k.builds(); got != "linear prostate "+edit || asked != 0 {
			t.Errorf("edit %s: %q, go was asked %d times", edit, got, asked)
		}
	}
	left, err := filepath.Glob(k.dir + "/.build*")
	if err != nil || len(left) > 0 {
		t.Errorf("intermediate files stay: %v, %v", left, err)
	}
}

func TestTheProgramIsTheOneThatGoBuilds(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1")
	k.prints("2")
	cmd := exec.Command(k.goTool, "build", "-ldflags=-s -buildid=", "-o", k.program+"-by-go")
	cmd.Dir = k.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours, err1 := buildinfo.ReadFile(k.program)
	gos, err2 := buildinfo.ReadFile(k.program + "-by-go")
	if err1 != nil || err2 != nil || ours.Path != "gonb_1" || len(ours.Deps) != len(gos.Deps) {
		t.Errorf("build information %v, %v; by go %v, %v", ours, err1, gos, err2)
	}
	a, err1 := os.ReadFile(k.program)
	b, err2 := os.ReadFile(k.program + "-by-go")
	if err1 != nil || err2 != nil || len(a) != len(b) {
		t.Errorf("%d bytes, by go %d (%v, %v)", len(a), len(b), err1, err2)
	}
}

func TestNothingStaleIsEverRun(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1")
	k.prints("2")
	for _, c := range []struct{ change, file, text, want string }{
		{"a package", "/tissue/tissue.go", "package tissue\n\nconst Name = \"thyroid!\"\n", "linear thyroid! 2"},
		{"a new file", "/tissue/more.go", "package tissue\n\nfunc init() { println(\"hello\") }\n", "hello\nlinear thyroid! 2"},
		{"an embedded file", "/probe/name.txt", "curved ", "hello\ncurved thyroid! 2"},
		{"back again", "/tissue/tissue.go", "package tissue\n\nconst Name = \"prostate\"\n", "hello\ncurved prostate 2"},
	} {
		k.builds()
		info, err := os.Stat(k.root + "/tissue/tissue.go")
		if err != nil {
			t.Fatal(err)
		}
		k.write(k.root+c.file, c.text)
		if err := os.Chtimes(k.root+c.file, info.ModTime(), info.ModTime()); err != nil { // even where time and size stay
			t.Fatal(err)
		}
		if got := k.prints("2"); got != c.want || k.builds() == 0 {
			t.Errorf("%s: %q", c.change, got)
		}
		k.prints("3")
		k.builds()
		if got := k.prints("2"); got != c.want || k.builds() != 0 {
			t.Errorf("%s, a second time: %q", c.change, got)
		}
	}
}

func TestAPlainBuildAfterwardsIsNotMisled(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1") // by go
	k.prints("2") // by the recipe, in its place
	k.write(filepath.Join(k.dir, mainGo), strings.ReplaceAll(cellText, "EDIT", "1"))
	if err := (builder{k.goTool, k.root, k.recipes, k.dir, t.Output()}).plain([]string{"build", "-o", k.program}); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(k.program).Output(); err != nil || string(out) != "linear prostate 1\n" {
		t.Errorf("go takes the program for its own: %q, %v", out, err)
	}
}

func TestACellRunAgainIsNotBuiltAgain(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1")
	k.prints("2")
	before, err := os.Stat(k.program)
	if err != nil {
		t.Fatal(err)
	}
	k.prints("2")
	if after, err := os.Stat(k.program); err != nil || !os.SameFile(before, after) {
		t.Errorf("built again, %v", err)
	}
	k.write(k.program, "#!/bin/sh\necho something else\n")
	if got := k.prints("2"); got != "linear prostate 2" {
		t.Errorf("another program passes for the cell's: %q", got)
	}
}

func TestErrorsReadAsGoBuildPutsThem(t *testing.T) {
	for _, learned := range []bool{false, true} {
		for _, text := range []string{"undeclared", "1); fmt.Println(\"no end", "probe.Nothing", "func() int {}"} {
			k := newNotebook(t).kernel("gonb_1")
			if learned {
				k.prints("1")
			}
			said, err := k.build(text)
			if err == nil {
				t.Fatalf("%s compiles", text)
			}
			cmd := exec.Command("go", "build", "-o", k.program)
			cmd.Dir = k.dir
			want, goErr := cmd.CombinedOutput()
			if said != string(want) || err.Error() != goErr.Error() {
				t.Errorf("learned %v: %q, %v; go: %q, %v", learned, said, err, want, goErr)
			}
			k.builds()
			if got, asked := k.prints("2"), k.builds(); got != "linear prostate 2" || learned && asked != 0 {
				t.Errorf("mended: %q, go was asked %d times", got, asked)
			}
		}
	}
}

func TestWhatIsUnusualIsLeftToGo(t *testing.T) {
	for what, make := range map[string]func(k *kernel) (text string){
		"cgo": func(k *kernel) string {
			return "package main\n\n// int two() { return 2; }\nimport \"C\"\n\nfunc main() { println(C.two()) }\n"
		},
		"embedding": func(k *kernel) string {
			k.write(k.dir+"/a.txt", "a")
			return "package main\n\nimport _ \"embed\"\n\n//go:embed a.txt\nvar a string\n\nfunc main() { println(a) }\n"
		},
		"a second file": func(k *kernel) string {
			k.write(k.dir+"/other.go", "package main\n\nfunc two() int { return 2 }\n")
			return "package main\n\nfunc main() { println(two()) }\n"
		},
		"a package of the cell's": func(k *kernel) string {
			k.write(k.dir+"/two/two.go", "package two\n\nconst Two = 2\n")
			return "package main\n\nimport \"gonb_1/two\"\n\nfunc main() { println(two.Two) }\n"
		},
		"another module's folder": func(k *kernel) string {
			k.write(k.dir+"/../other/go.mod", "module other\n\ngo 1.26\n")
			k.write(k.dir+"/../other/other.go", "package other\n\nconst Two = 2\n")
			k.write(k.dir+"/go.mod", "module gonb_1\n\ngo 1.26\n\nrequire other v0.0.0\n\nreplace other => ../other\n")
			return "package main\n\nimport \"other\"\n\nfunc main() { println(other.Two) }\n"
		},
	} {
		k := newNotebook(t).kernel("gonb_1")
		text := make(k)
		for edit := range 3 {
			k.builds()
			k.prints(fmt.Sprintf("%s\n// %d\n", text, edit))
			if k.builds() != 1 {
				t.Errorf("%s: go was not asked at edit %d", what, edit)
			}
		}
		if recipes, err := filepath.Glob(k.recipes + "/*"); err != nil || len(recipes) > 0 {
			t.Errorf("%s: recipes %v, %v", what, recipes, err)
		}
	}
}

func TestARecipeWhoseArchivesAreGoneIsLearnedAgain(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1")
	recipes, err := filepath.Glob(k.recipes + "/*.json")
	if err != nil || len(recipes) != 1 {
		t.Fatal(recipes, err)
	}
	r, err := readRecipe(recipes[0])
	if err != nil {
		t.Fatal(err)
	}
	r.LinkConfig = strings.ReplaceAll(r.LinkConfig, "-d\n", "-gone\n")
	r.store(recipes[0])
	for edit, asks := range []int{1, 1, 0} {
		k.builds()
		if got, asked := k.prints(fmt.Sprint(edit+2)), k.builds(); !strings.HasPrefix(got, "linear") || asked != asks {
			t.Errorf("edit %d: %q, go was asked %d times", edit, got, asked)
		}
	}
}

func TestKernelsShareRecipesAtTheSameTime(t *testing.T) {
	n := newNotebook(t)
	n.kernel("gonb_0").prints("1")
	n.builds()
	var group sync.WaitGroup
	for i := range 4 {
		k := n.kernel(fmt.Sprintf("gonb_%d", i+1))
		group.Go(func() {
			for edit := range 3 {
				if got, want := k.prints(fmt.Sprint(10*i+edit)), fmt.Sprint("linear prostate ", 10*i+edit); got != want {
					t.Errorf("%q, not %q", got, want)
				}
			}
		})
	}
	group.Wait()
	if asked := n.builds(); asked != 0 {
		t.Errorf("go was asked %d times", asked)
	}
}

func TestAPanicNamesTheCellsFile(t *testing.T) {
	k := newNotebook(t).kernel("gonb_1")
	k.prints("1")
	if said, err := k.build("func() int { panic(\"stiff\") }()"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	out, _ := exec.Command(k.program).CombinedOutput()
	if want := filepath.Join(k.dir, mainGo) + ":9"; !strings.Contains(string(out), want) {
		t.Errorf("no %s in\n%s", want, out)
	}
}
