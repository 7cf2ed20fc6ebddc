package scanner

import (
	"encoding/json"
	"math"
	"math/cmplx"
	"os"
	"testing"
)

// simusGolden is what testdata/make_simus_golden.py wrote: the reference array
// simulated with SIMUS.
type simusGolden struct {
	PSF []struct {
		DepthMM       float64 `json:"depth_mm"`
		Lateral6DBMM  float64 `json:"lateral_6db_mm"`
		Lateral20DBMM float64 `json:"lateral_20db_mm"`
		Axial6DBMM    float64 `json:"axial_6db_mm"`
	} `json:"psf"`
	Patch struct {
		RadiusMM  []float64 `json:"radius_mm"`
		ThetaRad  []float64 `json:"theta_rad"`
		Amplitude []float64 `json:"amplitude"`
		LineRad   []float64 `json:"line_rad"`
		DepthMM   []float64 `json:"depth_mm"`
		Re        []float64 `json:"re"` // [line][depth]
		Im        []float64 `json:"im"`
	} `json:"patch"`
}

func loadGolden(t *testing.T) simusGolden {
	t.Helper()
	raw, err := os.ReadFile("testdata/simus_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden simusGolden
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// widthAt is the width of a profile, sampled every step, at a level of its peak.
func widthAt(profile []float64, step, level float64) float64 {
	peak := 0
	for i, v := range profile {
		if v > profile[peak] {
			peak = i
		}
	}
	level *= profile[peak]
	l, r := peak, peak
	for l > 0 && profile[l] > level {
		l--
	}
	for r < len(profile)-1 && profile[r] > level {
		r++
	}
	left := float64(l) + (level-profile[l])/(profile[l+1]-profile[l])
	right := float64(r) - (level-profile[r])/(profile[r-1]-profile[r])
	return (right - left) * step
}

// profiles are the largest amplitude on each line, and the amplitude along the axis.
func (z zonePSF) profiles() (lateral, axial []float64) {
	lateral = make([]float64, 2*z.half+1)
	for j := range z.half + 1 {
		for t := range z.taps {
			a := math.Hypot(float64(z.re[j*z.taps+t]), float64(z.im[j*z.taps+t]))
			lateral[z.half+j] = max(lateral[z.half+j], a)
			if j == 0 {
				axial = append(axial, a)
			}
		}
		lateral[z.half-j] = lateral[z.half+j]
	}
	return lateral, axial
}

func TestPointSpreadFunctionHasTheWidthsOfSIMUS(t *testing.T) {
	s := EndFire()
	a := newArray(s, s.FrequencyMHz)
	g := polarGrid{radiusMM: s.RadiusMM, stepMM: 0.02, stepRad: 0.1 * math.Pi / 180}
	for _, want := range loadGolden(t).PSF {
		z := a.psf(g, want.DepthMM, 0, 0, 1)
		lateral, axial := z.profiles()
		across := g.stepRad * (s.RadiusMM + want.DepthMM)
		for _, c := range []struct {
			name                 string
			got, want, tolerance float64
		}{
			{"lateral -6 dB", widthAt(lateral, across, 0.5), want.Lateral6DBMM, 0.10},
			{"lateral -20 dB", widthAt(lateral, across, 0.1), want.Lateral20DBMM, 0.15},
			{"axial -6 dB", widthAt(axial, g.stepMM, 0.5), want.Axial6DBMM, 0.10},
		} {
			t.Logf("%2.0f mm %s: %.3f mm, SIMUS %.3f", want.DepthMM, c.name, c.got, c.want)
			if math.Abs(c.got/c.want-1) > c.tolerance {
				t.Errorf("at %.0f mm the %s width is %.3f mm, SIMUS %.3f", want.DepthMM, c.name, c.got, c.want)
			}
		}
	}
}

// A flat array is one of a very large radius: at its focus, far inside the aperture,
// the two-way beam of equal rectangular apertures is about lambda F wide.
func TestFlatArrayIsALargeRadius(t *testing.T) {
	s := EndFire()
	s.RadiusMM, s.Elements = 5000, 192
	s.FieldOfViewDeg = 38 / s.RadiusMM * 180 / math.Pi
	s.TransmitElements, s.ReceiveElements, s.ReceiveFNumber = 64, 64, 0.5 // weights almost equal
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	a := newArray(s, s.FrequencyMHz)
	g := polarGrid{radiusMM: s.RadiusMM, stepMM: 0.03, stepRad: 0.03 / s.RadiusMM}
	lateral, _ := a.psf(g, s.TransmitFocusMM, 0, 0, 1).profiles()
	got := widthAt(lateral, 0.03, 0.5)
	aperture := 64 * s.PitchMM()
	want := 0.89 * soundSpeedMMUs / s.FrequencyMHz * s.TransmitFocusMM / aperture
	t.Logf("flat array: %.3f mm at the focus, theory %.3f", got, want)
	if math.Abs(got/want-1) > 0.15 {
		t.Errorf("flat array's beam is %.3f mm wide at the focus, theory %.3f", got, want)
	}
}

func TestSameScatterersGiveTheSpeckleOfSIMUS(t *testing.T) {
	patch := loadGolden(t).Patch
	s := EndFire()
	a := newArray(s, s.FrequencyMHz)
	g := s.newPolarGrid(block(200, 200, 25), s.PlainExam(1))
	bank, err := psfBank(t.Context(), a, g, 0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	field := make(iqImage, g.rows*g.lines)
	for i, r := range patch.RadiusMM {
		deposit(g, field, r-s.RadiusMM, patch.ThetaRad[i], patch.Amplitude[i], s.FrequencyMHz)
	}
	iq, err := convolve(t.Context(), g, bank, field)
	if err != nil {
		t.Fatal(err)
	}
	var cross complex128
	var ours, theirs float64
	var e1, e2 []float64
	for l, rad := range patch.LineRad {
		for k, depth := range patch.DepthMM {
			v := sinc(g, iq, depth, rad)
			w := complex(patch.Re[l*len(patch.DepthMM)+k], patch.Im[l*len(patch.DepthMM)+k])
			cross += v * cmplx.Conj(w)
			ours += real(v)*real(v) + imag(v)*imag(v)
			theirs += real(w)*real(w) + imag(w)*imag(w)
			e1, e2 = append(e1, cmplx.Abs(v)), append(e2, cmplx.Abs(w))
		}
	}
	complexCorrelation := cmplx.Abs(cross) / math.Sqrt(ours*theirs)
	envelopeCorrelation := correlation(e1, e2)
	t.Logf("complex correlation %.4f, envelope %.4f", complexCorrelation, envelopeCorrelation)
	if complexCorrelation < 0.98 || envelopeCorrelation < 0.97 {
		t.Errorf("complex correlation %.4f (want 0.98), envelope %.4f (want 0.97)", complexCorrelation, envelopeCorrelation)
	}
}

// kernelTaps is the half-width of the windowed sinc that places and reads points
// between samples.
const kernelTaps = 8

func sincWeight(u float64) float64 {
	if math.Abs(u) >= kernelTaps {
		return 0
	}
	window := 0.5 + 0.5*math.Cos(math.Pi*u/kernelTaps)
	if math.Abs(u) < 1e-9 {
		return 1
	}
	return window * math.Sin(math.Pi*u) / (math.Pi * u)
}

// deposit adds a point scatterer: band-limited, with the phase of its depth.
func deposit(g polarGrid, field iqImage, depthMM, rad, amplitude, mhz float64) {
	u, v := depthMM/g.stepMM, (rad-g.firstRad)/g.stepRad
	point := complex(amplitude, 0) * cmplx.Exp(complex(0, -4*math.Pi*mhz/soundSpeedMMUs*depthMM))
	for row := int(u) - kernelTaps; row <= int(u)+kernelTaps+1; row++ {
		for line := int(v) - kernelTaps; line <= int(v)+kernelTaps+1; line++ {
			if row >= 0 && row < g.rows && line >= 0 && line < g.lines {
				field[row*g.lines+line] += complex64(point * complex(sincWeight(u-float64(row))*sincWeight(v-float64(line)), 0))
			}
		}
	}
}

// sinc reads baseband between samples.
func sinc(g polarGrid, iq iqImage, depthMM, rad float64) complex128 {
	u, v := depthMM/g.stepMM, (rad-g.firstRad)/g.stepRad
	var sum complex128
	for row := int(u) - kernelTaps; row <= int(u)+kernelTaps+1; row++ {
		for line := int(v) - kernelTaps; line <= int(v)+kernelTaps+1; line++ {
			if row >= 0 && row < g.rows && line >= 0 && line < g.lines {
				sum += complex128(iq[row*g.lines+line]) * complex(sincWeight(u-float64(row))*sincWeight(v-float64(line)), 0)
			}
		}
	}
	return sum
}

func correlation(a, b []float64) float64 {
	var sa, sb, saa, sbb, sab float64
	for i := range a {
		sa, sb = sa+a[i], sb+b[i]
		saa, sbb, sab = saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	n := float64(len(a))
	return (n*sab - sa*sb) / math.Sqrt((n*saa-sa*sa)*(n*sbb-sb*sb))
}
