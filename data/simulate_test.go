package data

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func smallRecipe() Recipe {
	r := Study()
	r.Patients, r.Test = 2, 1
	return r
}

// An interrupted simulation, resumed, gives the bytes of an undisturbed one.
func TestInterruptedSimulationResumesToTheSameCohort(t *testing.T) {
	whole, broken := t.TempDir()+"/whole", t.TempDir()+"/broken"
	if _, err := Simulate(t.Context(), whole, smallRecipe(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Simulate(ctx, broken, smallRecipe(), func(done, _ int) {
		if done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled simulation: error %v", err)
	}
	if _, err := Open(broken); err == nil {
		t.Fatal("a half-made cohort could be opened")
	}
	if _, err := Simulate(t.Context(), broken, smallRecipe(), nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"manifest.csv", "foci.csv", "card.md"} {
		a, _ := os.ReadFile(filepath.Join(whole, name))
		b, err := os.ReadFile(filepath.Join(broken, name))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs between an undisturbed and a resumed simulation (error %v)", name, err)
		}
	}
	c, err := Open(whole)
	if err != nil {
		t.Fatal(err)
	}
	planes, _, err := c.Load(t.Context(), Train, false)
	if err != nil || len(planes) != 3 {
		t.Fatalf("loaded %d planes, error %v; expected 3", len(planes), err)
	}
	for _, p := range planes {
		if share := float64(p.ValidPixels()) / float64(p.Height*p.Width); share < 0.03 || share > 0.7 {
			t.Errorf("plane %s: %.0f %% of the pixels carry stiffness", p.ID(), 100*share)
		}
	}
}

func TestImpossibleRecipesAreRefusedByName(t *testing.T) {
	for name, change := range map[string]func(*Recipe){
		"0 patients":       func(r *Recipe) { r.Patients = 0 },
		"50 test patients": func(r *Recipe) { r.Test = 50 },
		`"liver"`:          func(r *Recipe) { r.Organ = "liver" },
		`portable`:         func(r *Recipe) { r.Scanner = "portable" },
		`no-such`:          func(r *Recipe) { r.Scanner = "no-such" },
	} {
		r := Study()
		change(&r)
		dir := filepath.Join(t.TempDir(), "cohort")
		if _, err := Simulate(t.Context(), dir, r, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not name %s", err, name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a refused recipe left a folder", name)
		}
	}
}
