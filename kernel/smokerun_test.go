//go:build browser || bundle

package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// smokeRun is a finished run.
func smokeRun(t *testing.T) string {
	t.Helper()
	if run := os.Getenv("SSWE_RUN"); run != "" {
		run, err := filepath.Abs(run)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	run := filepath.Join(t.TempDir(), "run")
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "reproduce", "--preset", "smoke", "--out", run)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return run
}
