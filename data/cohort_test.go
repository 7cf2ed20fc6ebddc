package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drawn is a plane with a stiffness that names its pixels.
func drawn(patient, name string) *Plane {
	p := &Plane{Patient: patient, Name: name, Organ: "prostate", Scanner: "test", Source: Simulated, MMPerPx: 0.5, ScaleMaxKPa: 70,
		Height: 8, Width: 12}
	n := p.Height * p.Width
	p.BMode, p.SWEKPa, p.Saturated = make([]uint8, n), make([]float32, n), make([]bool, n)
	p.Confidence, p.Labels = make([]float32, n), make([]uint8, n)
	for i := range n {
		p.BMode[i], p.SWEKPa[i], p.Confidence[i] = uint8(i), float32(i%70), 1
		if i%5 == 0 {
			p.SWEKPa[i], p.Confidence[i] = float32(math.NaN()), 0
		}
	}
	return p
}

func saved(t *testing.T) (*Cohort, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cohort")
	planes := []*Plane{drawn("p001", "base"), drawn("p001", "mid"), drawn("p002", "mid")}
	split := func(patient string) Split {
		if patient == "p002" {
			return Test
		}
		return Train
	}
	c, err := Save(dir, planes, split, []FocusRow{{Patient: "p002", Focus: 10, Zone: "PZ", GradeGroup: 2, Gleason: "3+4", DiameterMM: 9.5}}, "# card\n")
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func TestACohortReadsBackWhatWasSaved(t *testing.T) {
	_, dir := saved(t)
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	planes, _, err := c.Load(t.Context(), Train, false)
	if err != nil || len(planes) != 2 {
		t.Fatalf("%d planes, error %v", len(planes), err)
	}
	want := drawn("p001", "mid")
	for i, v := range planes[1].SWEKPa {
		if v != want.SWEKPa[i] && !(isNaN(v) && isNaN(want.SWEKPa[i])) {
			t.Fatalf("pixel %d: %v kPa, saved %v", i, v, want.SWEKPa[i])
		}
	}
	if want := (FocusRow{Patient: "p002", Focus: 10, Zone: "PZ", GradeGroup: 2, Gleason: "3+4", DiameterMM: 9.5}); len(c.Foci) != 1 || c.Foci[0] != want {
		t.Errorf("foci %+v, saved %+v", c.Foci, want)
	}
	if p, err := PlaneAt(filepath.Join(dir, "p002", "mid.npz")); err != nil || p.MMPerPx != 0.5 {
		t.Errorf("plane by its file: %v", err)
	}
}

func TestAPatientInTwoSplitsIsRefused(t *testing.T) {
	_, dir := saved(t)
	edit(t, filepath.Join(dir, "manifest.csv"), "p001,mid,train", "p001,mid,test")
	if _, err := Open(dir); !errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), "p001") {
		t.Errorf("error %v does not name the leaked patient", err)
	}
}

func TestDamageIsNamedAndSkippedOnlyByFlag(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"truncated": func(path string) error {
			b, _ := os.ReadFile(path)
			return os.WriteFile(path, b[:len(b)/2], 0o644)
		},
		"changed": func(path string) error {
			b, _ := os.ReadFile(path)
			b[len(b)/2] ^= 1
			return os.WriteFile(path, b, 0o644)
		},
		"missing": os.Remove,
	} {
		_, dir := saved(t)
		path := filepath.Join(dir, "p001", "mid.npz")
		if err := damage(path); err != nil {
			t.Fatal(err)
		}
		c, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Load(t.Context(), Train, false); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not name %s", name, err, path)
		}
		planes, skipped, err := c.Load(t.Context(), Train, true)
		if err != nil || len(planes) != 1 || len(skipped) != 1 {
			t.Errorf("%s: by flag %d planes, %d skipped, error %v", name, len(planes), len(skipped), err)
		}
	}
}

func TestManifestsThatLieAreRefused(t *testing.T) {
	for _, c := range []struct{ from, to, says string }{
		{"p001,base", "../../etc,base", "name"},
		{"p001,mid", "p001,base", "twice"},
		{",0.5,", ",-1,", "mm_per_px"},
		{"p002,mid,test", "p002,mid,tset", "split"},
		{"patient,plane", "patent,plane", "first line"},
	} {
		_, dir := saved(t)
		edit(t, filepath.Join(dir, "manifest.csv"), c.from, c.to)
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q for %q: error %v does not say %q", c.to, c.from, err, c.says)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "go run . cohort") {
		t.Errorf("an empty folder: error %v does not say how to make a cohort", err)
	}
}

func TestImpossiblePlanesAreRefused(t *testing.T) {
	for says, spoil := range map[string]func(*Plane){
		"swe_kpa is":      func(p *Plane) { p.SWEKPa[3] = 900 },
		"labels has":      func(p *Plane) { p.Labels = p.Labels[1:] },
		"pixel size":      func(p *Plane) { p.MMPerPx = math.NaN() },
		"scale maximum":   func(p *Plane) { p.ScaleMaxKPa = 0 },
		"is not positive": func(p *Plane) { p.Height = 0 },
	} {
		p := drawn("p001", "mid")
		spoil(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}

// Area averaging keeps the mean of what is fully covered, and never invents stiffness where none was measured.
func TestResamplingAveragesWhatWasMeasured(t *testing.T) {
	p := drawn("p001", "mid")
	for i := range p.SWEKPa {
		p.SWEKPa[i] = 25
	}
	for x := range 4 {
		for y := range 4 {
			p.SWEKPa[y*p.Width+x] = float32(math.NaN())
		}
	}
	s := p.Resample(Grid{Height: 4, Width: 6, MMPerPx: 1})
	for i, valid := range s.Mask {
		if hole := i/6 < 2 && i%6 < 2; valid == hole {
			t.Errorf("pixel %d: mask %v", i, valid)
		}
		if s.Mask[i] && s.TargetKPa[i] != 25 {
			t.Errorf("pixel %d: a homogeneous 25 kPa plane reads %v", i, s.TargetKPa[i])
		}
	}
	if got := s.Image[0] * 255; got != float32(0+1+12+13)/4 {
		t.Errorf("grey level %v, expected the mean of four pixels", got)
	}
	wide := p.Resample(Grid{Height: 20, Width: 20, MMPerPx: 1})
	for i := range wide.Mask {
		if y, x := i/20, i%20; (y >= 4 || x < 7 || x >= 13) && (wide.Mask[i] || wide.Image[i] != 0) {
			t.Fatalf("row %d, column %d lies outside the plane and has a value", y, x)
		}
	}
}

func TestExpandingAnAffineMapIsExact(t *testing.T) {
	p, g := drawn("p001", "mid"), Grid{Height: 4, Width: 6, MMPerPx: 1}
	values := make([]float32, g.Pixels())
	for i := range values {
		values[i] = float32(3*(i/6) + 2*(i%6))
	}
	out := p.Expand(values, g)
	for y := 1; y < 7; y++ {
		for x := 1; x < 11; x++ {
			want := 3*((float32(y)+0.5)/2-0.5) + 2*((float32(x)+0.5)/2-0.5)
			if got := out[y*12+x]; math.Abs(float64(got-want)) > 1e-4 {
				t.Fatalf("row %d, column %d: %v, expected %v", y, x, got, want)
			}
		}
	}
}

// Image and stiffness move together: what was under a grey level stays under it.
func TestAugmentationKeepsImageAndStiffnessTogether(t *testing.T) {
	s := drawn("p001", "mid").Resample(Grid{Height: 8, Width: 12, MMPerPx: 0.5})
	for i := range s.Image { // the grey level names the pixel
		s.Image[i], s.TargetKPa[i], s.Mask[i] = float32(i+1)/255, float32(i+1), true
	}
	a := Augmentation{FlipLateral: true, ShiftLateralMM: 2, ShiftDepthMM: 1, Stretch: 0.2}
	moved := 0
	for k := range 40 {
		out := a.Apply(s, Stream(1, fmt.Sprint(k)))
		for i, valid := range out.Mask {
			if valid && out.TargetKPa[i] != float32(math.Round(float64(out.Image[i]*255))) {
				t.Fatalf("draw %d, pixel %d: %v kPa under grey level %v", k, i, out.TargetKPa[i], out.Image[i]*255)
			}
			if !valid && out.Image[i] != 0 {
				t.Fatalf("draw %d, pixel %d came from outside and is not black", k, i)
			}
		}
		if !bytes.Equal(floatBytes(out.Image), floatBytes(s.Image)) {
			moved++
		}
	}
	if moved < 30 {
		t.Errorf("only %d of 40 draws changed anything", moved)
	}
}

func TestStreamsOfTwoNamesShareNothing(t *testing.T) {
	a, b, again := Stream(1, "echo"), Stream(1, "stiffness"), Stream(1, "echo")
	for range 100 {
		x := a.Uint64()
		if x == b.Uint64() {
			t.Fatal("two names gave the same number")
		}
		if x != again.Uint64() {
			t.Fatal("one name gave two streams")
		}
	}
}

func floatBytes(v []float32) []byte { return []byte(fmt.Sprint(v)) }

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(from)) {
		t.Fatalf("%s holds no %q", path, from)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(from), []byte(to), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}
