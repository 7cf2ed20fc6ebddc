package scanner

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// soundSpeedMMUs is the speed that every scanner assumes, 1540 m/s.
const soundSpeedMMUs = 1.54

// Scanner is one model of ultrasound scanner with its probe. The values of the
// presets are assumptions at the level "a scanner of this class", unless a source
// is named: manufacturers publish few of them.
type Scanner struct {
	Name string

	// RadiusMM is the array's radius of curvature. A flat array is a large radius.
	RadiusMM float64
	// FieldOfViewDeg is the angle that the elements, and the image, span.
	FieldOfViewDeg float64
	// Elements is the number of elements along the array.
	Elements int

	// FrequencyMHz is the nominal centre frequency, BandwidthPercent the pulse-echo
	// -6 dB bandwidth of the probe in percent of it.
	FrequencyMHz, BandwidthPercent float64

	// TransmitElements fire, uniformly weighted, focused at TransmitFocusMM.
	TransmitElements int
	TransmitFocusMM  float64
	// ReceiveElements are the most that listen, Hamming weighted; below
	// ReceiveFNumber * aperture the dynamic aperture keeps the F-number.
	ReceiveElements int
	ReceiveFNumber  float64
	// LineSpacingDeg is the angle between beamformed lines.
	LineSpacingDeg float64
	// ElevationBeamMM is the -6 dB slice thickness, for callers that integrate
	// tissue over elevation before they fill a Medium.
	ElevationBeamMM float64
	// CompoundLooks is the number of sub-bands whose envelopes are averaged
	// (frequency compounding); 1 leaves the speckle as it is.
	CompoundLooks int

	// PenetrationMM is the depth at which 0 dB speckle in tissue of
	// NominalAttenDBCmMHz equals the electronic noise.
	PenetrationMM float64
	// NominalAttenDBCmMHz is the attenuation that the time-gain compensation undoes.
	NominalAttenDBCmMHz float64

	// DynamicRangeDB is displayed; ReferenceGrey (0..1) is where the mean of 0 dB
	// speckle is put in it; GreyCurve (0..1) bends the grey map into an S.
	DynamicRangeDB, ReferenceGrey, GreyCurve float64
	// NearFieldDB is the level of the bright band at the probe face, in dB above
	// 0 dB speckle.
	NearFieldDB float64

	// HasSWE tells whether the scanner measures stiffness at all; the fields below
	// are read only then.
	HasSWE bool
	// ScaleMaxKPa is the display limit: stiffer tissue saturates.
	ScaleMaxKPa float64
	// PushSpacingMM is the distance between push lines, which are spread over the
	// width of the box; 35 mm holds 4 at 9 mm.
	PushSpacingMM float64
	// PushFrequencyMHz sets how the push fades with depth; PushWidthMM is the 1/e
	// half-width of a push line.
	PushFrequencyMHz, PushWidthMM float64
	// TrackingNoise is the tracking noise at high echo SNR, as a fraction of the
	// peak particle velocity 5 mm beside a shallow push in 25 kPa tissue. Facts give
	// 0.02 to 0.04 for two pushes that fade over 20 mm; the presets push oftener and
	// average more, so they use more. Chosen for the depth that the facts ask for: 95 %
	// of a 25 kPa block valid above 20 mm, a fall past 30 mm.
	TrackingNoise float64
	// KernelMM is the distance over which time of flight is measured.
	KernelMM float64
}

// EndFire is the default: an end-fire curvilinear transrectal array of the SE12-3
// class. Geometry, bandwidth and apertures are those of the reference whose
// point-spread function was measured with SIMUS (facts: R 10 mm, 192 elements over
// 150 degrees, 6.5 MHz, 40-element transmit focused at 25 mm, 64-element receive).
func EndFire() Scanner {
	return Scanner{
		Name: "endfire-a", RadiusMM: 10, FieldOfViewDeg: 150, Elements: 192,
		FrequencyMHz: 6.5, BandwidthPercent: 70,
		TransmitElements: 40, TransmitFocusMM: 25, ReceiveElements: 64, ReceiveFNumber: 2,
		LineSpacingDeg: 0.3, ElevationBeamMM: 3, CompoundLooks: 1,
		PenetrationMM: 60, NominalAttenDBCmMHz: 0.5,
		DynamicRangeDB: 60, ReferenceGrey: 0.42, GreyCurve: 0.5, NearFieldDB: 12,
		HasSWE: true, ScaleMaxKPa: 70, PushSpacingMM: 9, PushFrequencyMHz: 4.5, PushWidthMM: 0.5,
		TrackingNoise: 0.065, KernelMM: 2.5,
	}
}

// EndFireB is a second end-fire model: wider radius, narrower field, lower
// frequency, larger aperture, frequency compounding, a softer picture and a longer
// stiffness scale.
func EndFireB() Scanner {
	s := EndFire()
	s.Name = "endfire-b"
	s.RadiusMM, s.FieldOfViewDeg, s.Elements = 11, 130, 160
	s.FrequencyMHz, s.BandwidthPercent = 5.8, 62
	s.TransmitElements, s.TransmitFocusMM, s.ReceiveElements, s.ReceiveFNumber = 36, 30, 56, 2.2
	s.ElevationBeamMM, s.CompoundLooks, s.PenetrationMM = 3.5, 2, 66
	s.DynamicRangeDB, s.ReferenceGrey, s.GreyCurve, s.NearFieldDB = 68, 0.48, 0.25, 9
	s.ScaleMaxKPa, s.PushSpacingMM, s.TrackingNoise, s.KernelMM = 90, 11, 0.06, 3.5
	return s
}

// Portable is a hand-held scanner without elastography: fewer elements, a narrow
// low band (coarse speckle), a linear grey map and less penetration.
func Portable() Scanner {
	s := EndFire()
	s.Name = "portable"
	s.RadiusMM, s.FieldOfViewDeg, s.Elements = 10, 120, 96
	s.FrequencyMHz, s.BandwidthPercent = 5, 50
	s.TransmitElements, s.TransmitFocusMM, s.ReceiveElements, s.ReceiveFNumber = 16, 25, 24, 2.5
	s.ElevationBeamMM, s.PenetrationMM = 4.5, 50
	s.DynamicRangeDB, s.ReferenceGrey, s.GreyCurve, s.NearFieldDB = 55, 0.4, 0, 15
	s.HasSWE, s.ScaleMaxKPa, s.PushSpacingMM, s.PushFrequencyMHz, s.PushWidthMM, s.TrackingNoise, s.KernelMM = false, 0, 0, 0, 0, 0, 0
	return s
}

// Linear is a linear array for superficial organs, of the 4-15 MHz class: a flat face
// (a very large radius) of 192 elements over 42 mm, and a 100 kPa scale as usual in the
// thyroid (0-100 or 0-180 kPa, remembered). All values are assumptions for the class.
func Linear() Scanner {
	const flatMM, footprintMM, lineMM = 1e4, 42.0, 0.15
	return Scanner{
		Name: "linear-thyroid", RadiusMM: flatMM, FieldOfViewDeg: footprintMM / flatMM * 180 / math.Pi, Elements: 192,
		FrequencyMHz: 9, BandwidthPercent: 60,
		TransmitElements: 36, TransmitFocusMM: 18, ReceiveElements: 64, ReceiveFNumber: 1.6,
		LineSpacingDeg: lineMM / flatMM * 180 / math.Pi, ElevationBeamMM: 1.8, CompoundLooks: 1,
		PenetrationMM: 46, NominalAttenDBCmMHz: 0.5,
		DynamicRangeDB: 62, ReferenceGrey: 0.45, GreyCurve: 0.4, NearFieldDB: 6,
		HasSWE: true, ScaleMaxKPa: 100, PushSpacingMM: 8, PushFrequencyMHz: 5, PushWidthMM: 0.5,
		TrackingNoise: 0.05, KernelMM: 2.5,
	}
}

func presets() []Scanner { return []Scanner{EndFire(), EndFireB(), Portable(), Linear()} }

// Names lists the presets that Named knows.
func Names() []string {
	var names []string
	for _, s := range presets() {
		names = append(names, s.Name)
	}
	return names
}

// Named returns the preset of that name.
func Named(name string) (Scanner, error) {
	for _, s := range presets() {
		if s.Name == name {
			return s, nil
		}
	}
	return Scanner{}, fmt.Errorf("scanner: no scanner %q: choose one of %s", name, strings.Join(Names(), ", "))
}

// PitchMM is the distance between neighbouring elements along the arc.
func (s Scanner) PitchMM() float64 {
	return s.RadiusMM * s.FieldOfViewDeg * math.Pi / 180 / float64(s.Elements)
}

// Validate reports every parameter that no scanner has, by name.
func (s Scanner) Validate() error {
	var problems []error
	within := func(name string, v, lo, hi float64) {
		if !(v >= lo && v <= hi) {
			problems = append(problems, fmt.Errorf("scanner %q: %s is %g: must be %g to %g", s.Name, name, v, lo, hi))
		}
	}
	within("RadiusMM", s.RadiusMM, 5, 1e4)
	within("FieldOfViewDeg", s.FieldOfViewDeg, 0.1, 170)
	within("Elements", float64(s.Elements), 8, 1024)
	within("FrequencyMHz", s.FrequencyMHz, 1, 20)
	within("BandwidthPercent", s.BandwidthPercent, 10, 120)
	within("TransmitElements", float64(s.TransmitElements), 1, float64(s.Elements))
	within("TransmitFocusMM", s.TransmitFocusMM, 1, 200)
	within("ReceiveElements", float64(s.ReceiveElements), 2, float64(s.Elements))
	within("ReceiveFNumber", s.ReceiveFNumber, 0.5, 10)
	within("LineSpacingDeg", s.LineSpacingDeg, 1e-4, 1)
	within("CompoundLooks", float64(s.CompoundLooks), 1, 4)
	within("PenetrationMM", s.PenetrationMM, 5, 300)
	within("NominalAttenDBCmMHz", s.NominalAttenDBCmMHz, 0, 3)
	within("DynamicRangeDB", s.DynamicRangeDB, 20, 120)
	within("ReferenceGrey", s.ReferenceGrey, 0, 1)
	within("GreyCurve", s.GreyCurve, 0, 1)
	within("NearFieldDB", s.NearFieldDB, -60, 40)
	if s.HasSWE {
		within("ScaleMaxKPa", s.ScaleMaxKPa, 10, 300)
		within("PushSpacingMM", s.PushSpacingMM, 5, 20)
		within("PushFrequencyMHz", s.PushFrequencyMHz, 1, 15)
		within("PushWidthMM", s.PushWidthMM, 0.2, 3)
		within("TrackingNoise", s.TrackingNoise, 0, 1)
		within("KernelMM", s.KernelMM, 1, maxKernelMM)
	}
	return errors.Join(problems...)
}
