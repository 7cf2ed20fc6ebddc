//go:build bundle

// The bundle on a machine without a network: SSWE_RUN=runs/smoke go test ./kernel -tags bundle -run Bundle -timeout 30m. It compiles
// everything anew and takes 1.5 GB and some ten minutes, so that no other test run includes it.
package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cutOff runs a shell script in a network namespace of its own, which has nothing but the loopback interface.
func cutOff(t *testing.T, dir string, env []string, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "sh", "-euc", "ip link set lo up\n"+script)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(string(out), 30))
	}
	return string(out)
}

func TestTheBundleSetsUpAndRunsNotebooksWithTheNetworkCut(t *testing.T) {
	if out, err := exec.Command("unshare", "--net", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED with the network cut: no network namespace here (%v: %s); it takes root, unshare and ip", err, out)
	}
	e, run, dir := testEnv(t), smokeRun(t), t.TempDir()
	archive := filepath.Join(dir, "sswe.tar.gz")
	parts, err := e.Bundle(t.Context(), archive, map[string]string{"runs/reproduce": run}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bytes before compression: %v", parts)
	stick := filepath.Join(dir, "stick")
	if err := os.Mkdir(stick, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "xzf", archive, "-C", stick).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Nothing of this machine's but its programs: every cache is empty, and so is the home.
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "SSWE_CACHE=" + filepath.Join(dir, "cache"),
		"GOMODCACHE=" + filepath.Join(dir, "mod"), "GOCACHE=" + filepath.Join(dir, "build"), "GOFLAGS=-modcacherw", "TMPDIR=" + shortTemp(t)}
	if seen := cutOff(t, stick, env, "ip -o link show"); strings.Count(seen, "\n") != 1 || !strings.Contains(seen, "lo:") {
		t.Fatalf("the network is not cut:\n%s", seen)
	}
	t.Log(tail(cutOff(t, stick, env, "sh setup.sh"), 3))
	for _, name := range []string{"01_data_preparation", "02_training"} {
		said := cutOff(t, filepath.Join(stick, bundleCheckout), env,
			"GOPROXY=off GOTOOLCHAIN=local go run . notebook run notebooks/"+name+".ipynb --out "+filepath.Join(dir, name+".ipynb"))
		t.Log(tail(said, 1))
		if executed, err := os.ReadFile(filepath.Join(dir, name+".ipynb")); err != nil || !strings.Contains(string(executed), "data:image/png") {
			t.Errorf("%s has no figure: %v", name, err)
		}
	}
}
