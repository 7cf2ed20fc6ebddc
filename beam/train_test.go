package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data"
)

// drawnCohort is six patients of one plane each; the last two are for testing.
func drawnCohort(t *testing.T, dir string) {
	t.Helper()
	const h, w = 48, 72
	var planes []*data.Plane
	for k := range 6 {
		p := &data.Plane{Patient: fmt.Sprintf("p%03d", k), Name: "mid", Organ: "prostate", Scanner: "drawn", Source: data.Simulated, MMPerPx: 1, ScaleMaxKPa: 70,
			Height: h, Width: w, BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w), Saturated: make([]bool, h*w), Confidence: make([]float32, h*w)}
		for i := range p.BMode {
			wave := math.Sin(float64(i%w)/7+float64(k)) * math.Cos(float64(i/w)/5)
			p.BMode[i], p.SWEKPa[i], p.Confidence[i] = uint8(120+60*wave), float32(30+15*wave), 1
		}
		planes = append(planes, p)
	}
	split := func(patient string) data.Split {
		if patient >= "p004" {
			return data.Test
		}
		return data.Train
	}
	if _, err := data.Save(dir, planes, split, nil, "# drawn, for a test\n"); err != nil {
		t.Fatal(err)
	}
}

// Two folds and a member through pool and Prism: the same weights, predictions,
// metrics and records, each training an element of its own.
func TestPoolAndPrismTrainTheSameNetworks(t *testing.T) {
	dir := t.TempDir()
	cohort := filepath.Join(dir, "cohort")
	drawnCohort(t, cohort)
	var runs, private map[string]string
	for _, runner := range []string{"pool", "prism"} {
		out := filepath.Join(dir, runner)
		args := []string{"train", "--cohort", cohort, "--preset", "smoke", "--epochs", "1", "--folds", "2", "--members", "1", "--out", out, "--runner", runner}
		text, code := invoke(t, args...)
		if code != 0 || !strings.Contains(text, "rows 3, computed 3, done before 0, refused 0;") {
			t.Fatalf("%s: exit code %d:\n%s", runner, code, text)
		}
		if _, err := os.Stat(filepath.Join(out, "folds", "02", "checkpoint", "model.npz")); err != nil {
			t.Error(err)
		}
		if table, err := os.ReadFile(filepath.Join(out, "trainings.csv")); err != nil || strings.Count(string(table), "simulated") != 3 {
			t.Errorf("%v:\n%s", err, table)
		}
		if runner == "pool" {
			runs, private = files(t, out, out), files(t, out+"-private", out)
			continue
		}
		if err := errors.Join(same(runs, files(t, out, out)), same(private, files(t, out+"-private", out))); err != nil {
			t.Error(err)
		}
		if text, code := invoke(t, args...); code != 0 || !strings.Contains(text, "computed 0, done before 3") {
			t.Errorf("a second run: exit code %d:\n%s", code, text)
		}
	}
}
