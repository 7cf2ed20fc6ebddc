package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data/archive"
)

func waiting(t *testing.T, rows int) (Job, []archive.Row) {
	t.Helper()
	dir := t.TempDir()
	job := Job{Kind: "wait", Out: filepath.Join(dir, "out"), State: filepath.Join(dir, "state")}
	if err := errors.Join(os.Mkdir(job.Out, 0o755), os.Mkdir(job.State, 0o700)); err != nil {
		t.Fatal(err)
	}
	list := make([]archive.Row, rows)
	for i := range list {
		list[i] = archive.Row{Key: fmt.Sprintf("row%04d", i), Args: map[string]string{"patient": fmt.Sprint(i % 37)}}
	}
	return job, list
}

func TestShardsHoldEveryRowOnceAndAPatientWhole(t *testing.T) {
	job, rows := waiting(t, 500)
	paths, err := WriteShards(t.Context(), job, rows, 8)
	if err != nil {
		t.Fatal(err)
	}
	lines, shardOf := map[string]int{}, map[string]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			lines[line]++
			_, patient, _ := strings.Cut(line, `"patient":`)
			if old, ok := shardOf[patient]; ok && old != path {
				t.Fatalf("patient %s is in %s and in %s", patient, old, path)
			}
			shardOf[patient] = path
		}
	}
	if len(lines) != 500 || len(shardOf) != 37 {
		t.Errorf("%d different rows of 500, %d patients of 37", len(lines), len(shardOf))
	}
	again, err := WriteShards(t.Context(), job, rows, 8)
	if err != nil || again[0] != paths[0] {
		t.Errorf("the same rows went to %s, then to %s (%v)", paths[0], again[0], err)
	}
}

// A shard delivered twice counts once and computes once.
func TestASecondDeliveryComputesNothing(t *testing.T) {
	job, rows := waiting(t, 60)
	paths, err := WriteShards(t.Context(), job, rows, 4)
	if err != nil {
		t.Fatal(err)
	}
	for pass, want := range []archive.Counters{{Rows: 60, Computed: 60}, {Rows: 60, Skipped: 60}} {
		for _, path := range paths {
			if _, err := DoShard(t.Context(), path); err != nil {
				t.Fatal(err)
			}
		}
		if sum, peak, done := Total(t.Context(), paths); sum != want || done != len(paths) || peak == 0 {
			t.Errorf("pass %d: %+v, %d shards, %d bytes", pass, sum, done, peak)
		}
	}
}

func TestFaultsOfAWorkerAreClear(t *testing.T) {
	job, rows := waiting(t, 10)
	paths, err := WriteShards(t.Context(), job, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "00000.jsonl")
	if _, err := DoShard(t.Context(), elsewhere); err == nil || !strings.Contains(err.Error(), "mount the storage on every worker") {
		t.Errorf("without the shards' storage: %v", err)
	}
	stop(t.Context(), paths)
	if _, err := DoShard(t.Context(), paths[0]); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("told to stop: %v", err)
	}
	if _, err := WriteShards(t.Context(), job, rows, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths[0], []byte("{\"key\":\"a\"}\n{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := DoShard(t.Context(), paths[0]); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged shard: %v", err)
	}
	if err := os.Remove(job.Out); err != nil {
		t.Fatal(err)
	}
	if _, err := DoShard(t.Context(), paths[0]); err == nil || !strings.Contains(err.Error(), job.Out) {
		t.Errorf("without the outputs' storage: %v", err)
	}
	wrapped := fmt.Errorf("org.apache.flink.SomeException: Error %swrite a.npz: no space left%s\n\tat Some.java", faultBegins, faultEnds)
	if said := fault(wrapped).Error(); said != "write a.npz: no space left" {
		t.Errorf("out of a stack trace comes %q", said)
	}
}
