package kernel

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCheckoutIsFoundFromInside(t *testing.T) {
	want, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"..", ".", "testdata"} {
		if got, err := FindRoot(dir); err != nil || got != want {
			t.Errorf("from %s: %s, %v", dir, got, err)
		}
	}
	if _, err := FindRoot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "change into the checkout") {
		t.Errorf("from elsewhere: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "go.mod"), []byte("module elastography/kernel/tools\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := FindRoot(other); err == nil {
		t.Error("another module passes for the checkout")
	}
}

func TestTheLockFilePinsEveryFileAndNamesNoHost(t *testing.T) {
	if strings.Contains(requirements, "://") || strings.Contains(requirements, "index") && strings.Contains(requirements, "--index-url") {
		t.Error("a host is named")
	}
	requirement := ""
	hashes := 0
	check := func() {
		if requirement != "" && hashes == 0 {
			t.Errorf("%s has no hash", requirement)
		}
	}
	for line := range strings.Lines(requirements) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "#"), line == "":
		case strings.HasPrefix(line, "--hash=sha256:"):
			hashes++
		default:
			check()
			requirement, hashes = line, 0
			if !strings.Contains(line, "==") {
				t.Errorf("%s is not pinned", line)
			}
		}
	}
	check()
	for _, want := range []string{"jupyterlab==4.6.", "nbclient==0.11.", "nbconvert==7."} {
		if !strings.Contains(requirements, "\n"+want) {
			t.Errorf("%s is not in it", want)
		}
	}
}

func TestAShellWordSurvivesQuoting(t *testing.T) {
	if got := quote(`it's $HOME`); got != `'it'\''s $HOME'` {
		t.Error(got)
	}
}

func TestTheDoctorIsReadByPeopleAndPrograms(t *testing.T) {
	r := Doctor(t.Context(), "..")
	r.Add(Check{Name: "backend", Level: LevelWarn, Found: "the Go backend", Remedy: "unset GOMLX_BACKEND"})
	if !r.OK() {
		t.Errorf("this machine cannot run its own tests: %+v", r.Checks)
	}
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		OK     bool    `json:"ok"`
		Checks []Check `json:"checks"`
	}
	if err := json.Unmarshal(data, &back); err != nil || !back.OK || len(back.Checks) != len(r.Checks) {
		t.Errorf("%s, %v", data, err)
	}
	for _, want := range []string{"Go", "C compiler", "Python", "XLA plugin", "cache", "disk space", "memory", "CPU", "GPU", "→ unset GOMLX_BACKEND"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no word of %s in\n%s", want, text.String())
		}
	}
	r.Add(Check{Name: "backend", Level: LevelFail})
	if r.OK() || r.Checks[len(r.Checks)-1].OK {
		t.Error("a failure passes")
	}
}

func TestTheDoctorOutsideACheckoutSaysSo(t *testing.T) {
	if r := Doctor(t.Context(), t.TempDir()); r.OK() || !strings.Contains(r.Checks[0].Found, "go.mod") {
		t.Errorf("%+v", r.Checks[0])
	}
}

func TestTheShimAnswersGetAndHandsCellsToTheirBuilder(t *testing.T) {
	dir := t.TempDir()
	real, builder := filepath.Join(dir, "real go"), filepath.Join(dir, "cellbuild")
	e := &Env{goTool: real, tools: dir, Root: "/checkout", private: "/private"}
	for name, text := range map[string]string{
		real:                     "#!/bin/sh\necho \"go $1 $GOGC $GOMEMLIMIT\"\n",
		builder:                  "#!/bin/sh\necho \"$2 $3 $4 $5 $6 $GOGC $GOMEMLIMIT\"\n",
		filepath.Join(dir, "go"): e.goShim(),
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ flags, args, want string }{
		{cellGoFlags(), "get", ""},
		{cellGoFlags(), "get -t", ""},
		{cellGoFlags(), "get example.org/x", "go get  "},
		{cellGoFlags(), "list .", "go list  "},
		{cellGoFlags(), "build -o x", "/checkout /private/cells build -o x off 512MiB"},
		{"-race", "build -o x", "go build off 512MiB"},
	} {
		cmd := exec.Command(filepath.Join(dir, "go"), strings.Fields(c.args)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOFLAGS=" + c.flags}
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSuffix(string(out), "\n") != c.want {
			t.Errorf("GOFLAGS %s, go %s: %q, %v", c.flags, c.args, out, err)
		}
	}
}
