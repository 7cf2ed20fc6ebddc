package validation

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"elastography/data/scanner"
)

// failing lists the rows that do not hold.
func failing(p Part) []string {
	var names []string
	for _, r := range p.Rows {
		if r.Verdict == Fails {
			names = append(names, r.Quantity)
		}
	}
	return names
}

// spoiled is a scanner whose elastogram goes through change.
type spoiled struct {
	scanner.Scanner
	known  *sync.Map // elastograms by the medium's first pixel, so that two tests share one propagation
	change func(kPa float32) float32
}

func (d spoiled) SWE(ctx context.Context, m *scanner.Medium, ex scanner.Exam, b scanner.Box, plane string) (*scanner.Elastogram, error) {
	key := fmt.Sprint(m.EKPa[0], m.Width)
	v, ok := d.known.Load(key)
	if !ok {
		e, err := d.Scanner.SWE(ctx, m, ex, b, plane)
		if err != nil {
			return nil, err
		}
		d.known.Store(key, e)
		v = e
	}
	e := *v.(*scanner.Elastogram)
	e.EKPa = make([]float32, len(e.EKPa))
	for i, kPa := range v.(*scanner.Elastogram).EKPa {
		e.EKPa[i] = d.change(kPa)
	}
	return &e, nil
}

func TestAScannerWhoseSpeedIsOffFailsTheElastographyRows(t *testing.T) {
	var known sync.Map
	measure := func(change func(float32) float32) Part {
		b := bench{s: scanner.EndFire(), device: func(s scanner.Scanner) Device { return spoiled{s, &known, change} }}
		p, err := b.linearity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if names := failing(measure(func(kPa float32) float32 { return kPa })); len(names) > 0 {
		t.Errorf("the scanner as it is fails %v", names)
	}
	if names := failing(measure(func(kPa float32) float32 { return 1.44 * kPa })); len(names) < 5 {
		t.Errorf("a shear-wave speed 1.2 times too high fails only %v", names)
	}
}

// leaky is a scanner that draws stiff tissue brighter.
type leaky struct{ scanner.Scanner }

func (d leaky) BMode(ctx context.Context, m *scanner.Medium, ex scanner.Exam, plane string) (*scanner.BMode, error) {
	bent := *m
	bent.BackscatterDB = make([]float32, len(m.EKPa))
	for i, kPa := range m.EKPa {
		bent.BackscatterDB[i] = m.BackscatterDB[i] + kPa/20
	}
	return d.Scanner.BMode(ctx, &bent, ex, plane)
}

func TestAScannerThatDrawsStiffnessFailsTheRowOfIt(t *testing.T) {
	b := bench{s: scanner.EndFire(), device: func(s scanner.Scanner) Device { return leaky{s} }}
	p, err := b.depths(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := strings.Join(failing(p), "; "); !strings.Contains(names, "when 25 kPa becomes 90 kPa") {
		t.Errorf("fails %q", names)
	}
}

func TestRayleighAmplitudesHaveTheirTextbookFigures(t *testing.T) {
	const n = 20000
	dB := make([]float64, n)
	for k := range dB { // quantiles of the distribution, rounded as a display does
		a := math.Sqrt(-math.Log(1 - (float64(k)+0.5)/n))
		dB[k] = math.Round(20*math.Log10(a)/0.3) * 0.3
	}
	st := amplitudeStatistics(dB, 0.3)
	if math.Abs(st.snr-math.Sqrt(math.Pi/(4-math.Pi))) > 0.01 || st.distance > 0.002 {
		t.Errorf("SNR %.3f and distance %.4f, want 1.913 and 0", st.snr, st.distance)
	}
	for k := range dB {
		dB[k] /= 2 // another law
	}
	if bent := amplitudeStatistics(dB, 0.15); bent.distance < 0.05 {
		t.Errorf("distance %.4f for amplitudes that are not Rayleigh", bent.distance)
	}
}

func TestWidthsAndSlopesAreThoseOfKnownCurves(t *testing.T) {
	covariance := make([]float64, 14)
	for k := range covariance {
		covariance[k] = 3 * math.Exp(-math.Ln2*float64(k*k)/(4.3*4.3))
	}
	if got := halfWidth(covariance); math.Abs(got-4.3) > 1e-9 {
		t.Errorf("a Gaussian falls to half at %.3f, want 4.3", got)
	}
	if got := slope([]float64{0, 1, 2, 3}, []float64{1, 3.5, 6, 8.5}); math.Abs(got-2.5) > 1e-12 {
		t.Errorf("slope %.3f, want 2.5", got)
	}
	// A trapezoid that rises from 20 to 60 kPa over 5 mm: 4 mm from 10 to 90 %.
	const w, h = 200, 40
	e := &scanner.Elastogram{Height: h, Width: w, MMPerPx: 0.2, EKPa: make([]float32, w*h), Box: scanner.Box{Bottom: h, Right: w}}
	for i := range e.EKPa {
		r := math.Abs(float64(i%w)-w/2) * 0.2
		e.EKPa[i] = float32(20 + 40*min(1, max(0, (12.5-r)/5)))
	}
	if got := edgeWidthMM(e, 4, 20, 60); math.Abs(got-4) > 0.02 {
		t.Errorf("edge %.2f mm, want 4", got)
	}
	if mean, sd, valid := read(e, func(z, x float64) bool { return math.Abs(x) < 7 }); mean != 60 || sd != 0 || valid != 1 {
		t.Errorf("the middle reads %.1f ± %.1f kPa, %.0f %% valid", mean, sd, 100*valid)
	}
}

// A report may cite a Go test only while there is one of that name.
func TestCitedGoTestsExist(t *testing.T) {
	cited := regexp.MustCompile(`Test[A-Z]\w+`)
	for _, file := range []string{"echo.go", "grain.go", "elasticity.go", "leakage.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range cited.FindAllString(string(text), -1) {
			if name == "Tested" {
				continue
			}
			found := false
			for _, dir := range []string{"../scanner", "../phantom"} {
				files, _ := filepath.Glob(dir + "/*_test.go")
				for _, f := range files {
					source, err := os.ReadFile(f)
					found = found || err == nil && strings.Contains(string(source), "func "+name+"(")
				}
			}
			if !found {
				t.Errorf("%s cites %s, which is no test", file, name)
			}
		}
	}
}
