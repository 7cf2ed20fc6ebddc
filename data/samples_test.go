package data

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Training from disk sees what training from memory saw, to the bit, labels or none.
func TestSamplesFromDiskAreTheResampledPlanes(t *testing.T) {
	_, dir := saved(t)
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g := Grid{Height: 5, Width: 7, MMPerPx: 0.9}
	planes, _, err := c.Load(t.Context(), Train, false)
	if err != nil {
		t.Fatal(err)
	}
	samples, skipped, err := c.Samples(t.Context(), Train, g, false)
	if err != nil || len(skipped) > 0 || len(samples) != len(planes) {
		t.Fatalf("%d samples of %d planes, %d skipped, error %v", len(samples), len(planes), len(skipped), err)
	}
	for i, p := range planes {
		if want := p.Resample(g); !reflect.DeepEqual(samples[i], want) {
			t.Errorf("%s: the sample from disk is %+v, expected %+v", want.ID(), samples[i], want)
		}
	}
	samples[0].Image[0] = 0.5 // a sample may be changed
	if again, _, err := c.Samples(t.Context(), Train, g, false); err != nil || again[0].Image[0] == 0.5 {
		t.Errorf("a change of a sample reached the disk (error %v)", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "samples") {
			t.Errorf("%s is left in the cohort", e.Name())
		}
	}
}

func TestADamagedPlaneIsNamedOrSkippedAsSample(t *testing.T) {
	c, dir := saved(t)
	path := filepath.Join(dir, "p001", "base.npz")
	if err := os.WriteFile(path, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := Grid{Height: 5, Width: 7, MMPerPx: 0.9}
	if _, _, err := c.Samples(t.Context(), Train, g, false); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the damaged %s", err, path)
	}
	samples, skipped, err := c.Samples(t.Context(), Train, g, true)
	if err != nil || len(samples) != 1 || samples[0].Plane != "mid" || len(skipped) != 1 {
		t.Errorf("%d samples, skipped %v, error %v; expected the undamaged plane", len(samples), skipped, err)
	}
}
