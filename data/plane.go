// Package data owns planes, cohorts and their storage: what a scanner showed of one imaging plane, which patients are
// for training and which for testing, and how both reach the network.
//
// It composes the leaf rooms data/phantom (anatomy), data/scanner (image formation) and data/scan (real exports).
// It never trains, and it never hands a truth to the network that a scanner could not show.
package data

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"elastography/data/npz"
)

// Plane is one imaging plane of one patient, as the scanner's side-by-side view shows it: B-mode and, inside the SWE
// box, Young's modulus. All maps are row-major [Height, Width] on one isotropic grid: row 0 is at the probe's face,
// rows go deeper, columns go laterally.
type Plane struct {
	Patient string // pseudonym, e.g. "p007"
	Name    string // "base", "mid" or "apex" for simulated planes, the file's name for imported ones

	Organ       string  // "prostate", "thyroid", "muscle", …
	Scanner     string  // preset or model name
	Source      string  // Simulated or Imported
	MMPerPx     float64 // physical pixel size, mm
	ScaleMaxKPa float64 // top of the scanner's colour bar, kPa: stiffer pixels are censored there

	Height, Width int
	BMode         []uint8   // grey levels
	SWEKPa        []float32 // Young's modulus as the scanner shows it, kPa; NaN where it shows none
	Saturated     []bool    // at the display limit: the modulus is at least SWEKPa
	Confidence    []float32 // 0..1, the scanner's own quality; 0 where SWEKPa is NaN
	Labels        []uint8   // histopathology as registered to the image (phantom.Label…); nil if there is none

	ETrueKPa   []float32 // simulated planes only: the tissue's Young's modulus, kPa. Never a training target.
	LabelsTrue []uint8   // simulated planes only: histopathology without registration error
}

// Where a plane comes from.
const (
	Simulated = "simulated"
	Imported  = "imported"
)

// ErrDamaged marks stored data that is not what was written.
var ErrDamaged = npz.ErrDamaged

// ID names the plane within its cohort, e.g. "p007/mid".
func (p *Plane) ID() string { return p.Patient + "/" + p.Name }

// Valid tells whether pixel i carries a stiffness value.
func (p *Plane) Valid(i int) bool { return !isNaN(p.SWEKPa[i]) }

// ValidPixels counts the pixels that carry a stiffness value.
func (p *Plane) ValidPixels() int {
	n := 0
	for _, v := range p.SWEKPa {
		if !isNaN(v) {
			n++
		}
	}
	return n
}

// Check refuses a plane that no scanner can have made; the error names the plane, the field and the value.
func (p *Plane) Check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("plane %s: "+format, append([]any{p.ID()}, args...)...)
	}
	if p.Patient == "" || p.Name == "" {
		return errors.New("plane without patient or name")
	}
	if p.Height <= 0 || p.Width <= 0 {
		return fail("size %d x %d px is not positive", p.Height, p.Width)
	}
	n := p.Height * p.Width
	for _, f := range []struct {
		name     string
		length   int
		optional bool
	}{
		{"bmode", len(p.BMode), false}, {"swe_kpa", len(p.SWEKPa), false}, {"saturated", len(p.Saturated), false},
		{"confidence", len(p.Confidence), false}, {"labels", len(p.Labels), true},
		{"e_true_kpa", len(p.ETrueKPa), true}, {"labels_true", len(p.LabelsTrue), true},
	} {
		if f.length != n && !(f.optional && f.length == 0) {
			return fail("%s has %d values, expected %d x %d", f.name, f.length, p.Height, p.Width)
		}
	}
	if !(p.MMPerPx > 0) || math.IsInf(p.MMPerPx, 0) {
		return fail("pixel size of %v mm is not positive", p.MMPerPx)
	}
	if !(p.ScaleMaxKPa > 0) || math.IsInf(p.ScaleMaxKPa, 0) {
		return fail("scale maximum of %v kPa is not positive", p.ScaleMaxKPa)
	}
	for i, v := range p.SWEKPa {
		if isNaN(v) {
			continue
		}
		if v < 0 || float64(v) > p.ScaleMaxKPa*1.001 {
			return fail("swe_kpa is %v at row %d, column %d: outside 0..%v kPa", v, i/p.Width, i%p.Width, p.ScaleMaxKPa)
		}
	}
	return nil
}

// file is where the plane is stored below the cohort's folder.
func planeFile(patient, name string) string { return filepath.Join(patient, name+".npz") }

// write stores the plane's maps, atomically. NumPy opens the file too.
func (p *Plane) write(path string) error {
	arrays := map[string]npz.Array{
		"bmode":      npz.Of(p.BMode, p.Height, p.Width),
		"swe_kpa":    npz.Of(p.SWEKPa, p.Height, p.Width),
		"saturated":  npz.Of(p.Saturated, p.Height, p.Width),
		"confidence": npz.Of(p.Confidence, p.Height, p.Width),
	}
	for name, labels := range map[string][]uint8{"labels": p.Labels, "labels_true": p.LabelsTrue} {
		if labels != nil {
			arrays[name] = npz.Of(labels, p.Height, p.Width)
		}
	}
	if p.ETrueKPa != nil {
		arrays["e_true_kpa"] = npz.Of(p.ETrueKPa, p.Height, p.Width)
	}
	return npz.WriteFile(path, arrays)
}

// readMaps fills the plane's maps from its file and checks them.
func (p *Plane) readMaps(path string) error {
	f, err := npz.ReadFile(path)
	if err != nil {
		return err
	}
	var shape []int
	if p.BMode, shape, err = npz.Get[uint8](f, "bmode"); err != nil {
		return err
	}
	if len(shape) != 2 {
		return fmt.Errorf("%s: %w: bmode has shape %v, expected [height, width]", path, ErrDamaged, shape)
	}
	p.Height, p.Width = shape[0], shape[1]
	if p.SWEKPa, _, err = npz.Get[float32](f, "swe_kpa"); err != nil {
		return err
	}
	if p.Saturated, _, err = npz.Get[bool](f, "saturated"); err != nil {
		return err
	}
	if p.Confidence, _, err = npz.Get[float32](f, "confidence"); err != nil {
		return err
	}
	for name, into := range map[string]*[]uint8{"labels": &p.Labels, "labels_true": &p.LabelsTrue} {
		if f.Has(name) {
			if *into, _, err = npz.Get[uint8](f, name); err != nil {
				return err
			}
		}
	}
	if f.Has("e_true_kpa") {
		if p.ETrueKPa, _, err = npz.Get[float32](f, "e_true_kpa"); err != nil {
			return err
		}
	}
	if err := p.Check(); err != nil {
		return fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	}
	return nil
}

func isNaN(v float32) bool { return v != v }
