package data

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"elastography/data/phantom"
)

// uneven is a cohort of three men whose planes differ by what makes them: a tumour as stiff and as dark as seed and man say.
func uneven(t *testing.T, dir string, names []string, seeds []uint64) *Cohort {
	t.Helper()
	var planes []*Plane
	var foci []FocusRow
	for k, name := range names {
		rng := Stream(seeds[k], "uneven")
		tumour, dark := float32(20+30*rng.Float64()), uint8(60+50*rng.Float64())
		p, _ := tissue(name, Train, func(x int) (uint8, float32, uint8) {
			if x < 16 {
				return dark, tumour, phantom.LabelFocus
			}
			return uint8(80 + 20*rng.Float64()), float32(20 + 20*rng.Float64()), phantom.LabelPZ
		})
		p.LabelsTrue = p.Labels
		planes = append(planes, p)
		foci = append(foci, FocusRow{Patient: name, Focus: phantom.LabelFocus, Zone: "PZ", GradeGroup: 1 + int(seeds[k])%3, Gleason: "3+4", DiameterMM: 9 + float64(seeds[k])})
	}
	c, err := Save(dir, planes, func(p string) Split {
		if p == "c" || p == "f" {
			return Test
		}
		return Train
	}, foci, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Men of two cohorts who share a name are two men: their statistics are those of one cohort in which all names differ.
func TestAPoolIsOneCohortOfAllItsMen(t *testing.T) {
	dir := t.TempDir()
	uneven(t, filepath.Join(dir, "pool", "x"), []string{"a", "b", "c"}, []uint64{1, 2, 3})
	uneven(t, filepath.Join(dir, "pool", "y"), []string{"a", "b", "c"}, []uint64{4, 5, 6})
	whole := uneven(t, filepath.Join(dir, "whole"), []string{"a", "b", "c", "d", "e", "f"}, []uint64{1, 2, 3, 4, 5, 6})
	if err := os.WriteFile(filepath.Join(dir, "pool", "validation.md"), nil, 0o644); err != nil { // a file among the folders
		t.Fatal(err)
	}
	pool, err := OpenPool(filepath.Join(dir, "pool"))
	if err != nil || len(pool) != 2 {
		t.Fatalf("%d cohorts, error %v", len(pool), err)
	}
	got, err := DescribePool(t.Context(), pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Describe(t.Context(), whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range got.FalsePositiveOf {
		c, own := FromPool(pool, r.Patient)
		as := want.FalsePositiveOf[k].Patient
		if c == nil || c.Name() != map[bool]string{true: "x", false: "y"}[as < "d"] || own != map[string]string{"a": "a", "b": "b", "c": "c", "d": "a", "e": "b", "f": "c"}[as] {
			t.Fatalf("region %d is of %s, the whole's %s", k, r.Patient, as)
		}
		got.FalsePositiveOf[k].Patient = as
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("pooled %+v\n as one %+v", got.Squares.SWE, want.Squares.SWE)
	}
	if one, err := OpenPool(whole.Dir); err != nil || len(one) != 1 || one[0].Name() != "whole" {
		t.Errorf("a cohort's own folder: %d cohorts, error %v", len(one), err)
	}
}

func TestWhatCannotBePooledIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenPool(dir); !errors.Is(err, ErrNoCohort) {
		t.Errorf("an empty folder: %v", err)
	}
	a := filepath.Join(dir, "first")
	uneven(t, a, []string{"a", "b", "c"}, []uint64{1, 2, 3})
	refused := func(words ...string) {
		t.Helper()
		_, err := OpenPool(dir)
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v does not say %q", err, w)
			}
		}
	}
	uneven(t, filepath.Join(dir, "second"), []string{"a", "b", "c"}, []uint64{9, 2, 8})
	refused("b/mid", "second", "first", "once")
	if err := os.RemoveAll(filepath.Join(dir, "second")); err != nil {
		t.Fatal(err)
	}
	uneven(t, filepath.Join(dir, "second"), []string{"a", "b", "c"}, []uint64{7, 8, 9})
	edit(t, filepath.Join(dir, "second", "manifest.csv"), "prostate", "thyroid")
	refused("first shows prostate", "second shows thyroid")
	if err := os.Remove(filepath.Join(dir, "second", "manifest.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "second", "recipe.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused("second is not finished", "run its command again")
}
