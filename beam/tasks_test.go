package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elastography/data"
)

// The Slurm script and the Kubernetes job of docs/scale.md, run task by task
// with nothing but the paths replaced, make the cohort that the import makes.
func TestTheDocumentsTasksMakeTheCohort(t *testing.T) {
	document, err := os.ReadFile("../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```\n(#!/bin/bash\n#.*?)```").FindSubmatch(document)
	pod := regexp.MustCompile(`command: \[sh, -c, '(.*)'\]`).FindSubmatch(document)
	if script == nil || pod == nil {
		t.Fatal("docs/scale.md holds no such script or job")
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "srun"), []byte("#!/bin/sh\nexec \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ shell, text, index string }{
		"Slurm":      {"bash", string(script[1]), "SLURM_ARRAY_TASK_ID"},
		"Kubernetes": {"sh", string(pod[1]), "JOB_COMPLETION_INDEX"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "exports"), filepath.Join(dir, "cohort")
			for k := range 30 {
				path := filepath.Join(in, "patient"+string(rune('a'+k/5)), "export"+string(rune('a'+k%5))+".npz")
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				arrays(t, path, k)
			}
			args := []string{"import", in, "--out", out, "--set", "mm_per_px=0.1", "--set", "scale_max_kpa=150", "--set", "organ=muscle", "--shards", "3", "--runner", "pool"}
			text, code := invoke(t, append(args, "--plan")...)
			folder := regexp.MustCompile(`in (\d+) shards in (\S+)`).FindStringSubmatch(text)
			if code != 0 || folder == nil {
				t.Fatalf("plan: exit code %d:\n%s", code, text)
			}
			shards, _ := filepath.Glob(filepath.Join(folder[2], "*.jsonl"))
			task := strings.NewReplacer("/mnt/bin/sswe-beam", program, "'sswe-beam", program, "sswe-beam shard", program+" shard",
				"/mnt/cohorts/mine-private/shards/0123456789abcdef", folder[2]).Replace(c.text)
			for i := range shards {
				command := exec.CommandContext(t.Context(), c.shell, "-euc", task)
				command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), c.index+"="+string(rune('0'+i)))
				if said, err := command.CombinedOutput(); err != nil || !strings.Contains(string(said), "refused 0") {
					t.Fatalf("task %d: %v\n%s\n%s", i, err, said, task)
				}
			}
			if text, code := invoke(t, args...); code != 0 || !strings.Contains(text, "rows 30, computed 0, done before 30") {
				t.Errorf("the import itself: exit code %d:\n%s", code, text)
			}
			if c, err := data.Open(out); err != nil || len(c.Rows) != 30 {
				t.Errorf("%v: the cohort is not there", err)
			}
		})
	}
}
