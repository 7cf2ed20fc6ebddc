package data

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"elastography/data/phantom"
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
		"-3 patients":      func(r *Recipe) { r.Patients = -3 },
		"4 planes":         func(r *Recipe) { r.Planes = 4 },
		"linear-thyroid":   func(r *Recipe) { r.Scanner = "linear-thyroid" },
		"endfire-a":        func(r *Recipe) { r.Organ = "thyroid" },
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

// The second organ goes the same way, and neither the number of workers nor anything but the recipe decides its bytes.
func TestThyroidCohortIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	r := ThyroidStudy()
	r.Patients, r.Test, r.Planes = 2, 1, 1
	simulated := func(workers int, r Recipe) (*Cohort, string) {
		before := runtime.GOMAXPROCS(workers)
		defer runtime.GOMAXPROCS(before)
		c, err := Simulate(t.Context(), filepath.Join(t.TempDir(), "cohort"), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := os.ReadFile(filepath.Join(c.Dir, "manifest.csv")) // it holds each plane's SHA-256
		if err != nil {
			t.Fatal(err)
		}
		return c, string(manifest)
	}
	c, one := simulated(1, r)
	if _, three := simulated(3, r); three != one {
		t.Error("three workers made another cohort than one")
	}
	r.Seed++
	if _, other := simulated(2, r); other == one {
		t.Error("two seeds made the same cohort")
	}
	opened, err := Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	planes, _, err := opened.Load(t.Context(), Test, false)
	if err != nil || len(planes) != 1 {
		t.Fatalf("%d test planes, error %v; expected 1", len(planes), err)
	}
	p := planes[0]
	if p.Organ != "thyroid" || p.Name != "middle" || p.ScaleMaxKPa != r.ScaleMaxKPa() {
		t.Errorf("plane %s of organ %q on a scale of %g kPa", p.ID(), p.Organ, p.ScaleMaxKPa)
	}
	if share := float64(p.ValidPixels()) / float64(p.Height*p.Width); share < 0.1 || share > 0.6 {
		t.Errorf("%.0f %% of the pixels carry stiffness", 100*share)
	}
}

// Fewer planes of a patient are those nearest the middle, and the same bytes as among all.
func TestFewerPlanesAreTheCentralOnes(t *testing.T) {
	r := Study()
	for n, want := range map[int][]int{0: {0, 1, 2}, 1: {1}, 2: {0, 1}, 3: {0, 1, 2}} {
		if r.Planes = n; !slices.Equal(r.planes(), want) {
			t.Errorf("%d planes are %v, want %v", n, r.planes(), want)
		}
	}
}

func TestTumoursThatAreNotGradedAreReadBack(t *testing.T) {
	row := FocusRow{Patient: "p001", Focus: 10, Zone: "left lobe", GradeGroup: 0, Gleason: phantom.NotGraded, DiameterMM: 12}
	path := filepath.Join(t.TempDir(), "foci.csv")
	for gleason, fine := range map[string]bool{phantom.NotGraded: true, "3+4": false} {
		row.Gleason = gleason
		if err := os.WriteFile(path, fociCSV([]FocusRow{row}), 0o644); err != nil {
			t.Fatal(err)
		}
		if foci, err := readFoci(path); (err == nil) != fine || fine && foci[0] != row {
			t.Errorf("grade group 0 with Gleason %q: read %+v, error %v", gleason, foci, err)
		}
	}
}
