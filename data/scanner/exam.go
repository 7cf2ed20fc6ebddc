package scanner

import (
	"errors"
	"fmt"
	"math"
)

// Exam is how the scanner was set and held for one patient: the nuisance that
// differs between patients while the tissue does not. Ranges are design choices
// (facts: gain +-4 dB, dynamic range 55-70 dB, frequency +-1 MHz, attenuation
// +-15 %, sliders +-2 dB, depth 44-58 mm, sound speed +-2 %).
type Exam struct {
	// Seed names the patient; every noise stream derives from it, a name and the plane.
	Seed uint64
	// GainDB is the operator's overall gain.
	GainDB float64
	// DynamicRangeDB is displayed.
	DynamicRangeDB float64
	// FrequencyMHz is the transmitted centre frequency.
	FrequencyMHz float64
	// AttenuationScale multiplies the medium's attenuation.
	AttenuationScale float64
	// DepthMM is the displayed depth from the probe face.
	DepthMM float64
	// SoundSpeedError is the relative error of the assumed sound speed: structures
	// are drawn at 1/(1+error) of their true depth.
	SoundSpeedError float64
	// SliderDB are the errors of the time-gain sliders, evenly spaced over DepthMM.
	SliderDB [6]float64
	// CouplantMM is the thickness of couplant and condom at the probe face, which
	// sets the spacing of the near-field reverberations.
	CouplantMM float64
	// Precompression is by how much the operator's pressure stiffens the tissue at
	// the probe face, as a fraction; it fades within 5 mm.
	Precompression float64
}

// Exam draws a patient's examination from the seed. Each setting has a stream of
// its own, so a new one leaves the others unchanged.
func (s Scanner) Exam(seed uint64) Exam {
	uniform := func(name string, lo, hi float64) float64 {
		return lo + (hi-lo)*stream(seed, "exam/"+name).Float64()
	}
	ex := Exam{
		Seed:             seed,
		GainDB:           uniform("gain", -4, 4),
		DynamicRangeDB:   s.DynamicRangeDB + uniform("dynamic-range", -5, 8),
		FrequencyMHz:     s.FrequencyMHz + uniform("frequency", -0.5, 1),
		AttenuationScale: uniform("attenuation", 0.85, 1.15),
		DepthMM:          uniform("depth", 44, 58),
		SoundSpeedError:  uniform("sound-speed", -0.02, 0.02),
		CouplantMM:       uniform("couplant", 1, 2.2),
	}
	// Most operators hardly press; a few leave a stiff band below the probe.
	ex.Precompression = 0.8 * math.Pow(uniform("precompression", 0, 1), 4)
	sliders := stream(seed, "exam/time-gain")
	for i := range ex.SliderDB {
		ex.SliderDB[i] = -2 + 4*sliders.Float64()
	}
	return ex
}

// PlainExam is the scanner at its nominal settings, without any error of gain or
// geometry: what a quality-assurance phantom is scanned with.
func (s Scanner) PlainExam(seed uint64) Exam {
	return Exam{
		Seed: seed, DynamicRangeDB: s.DynamicRangeDB, FrequencyMHz: s.FrequencyMHz,
		AttenuationScale: 1, DepthMM: 50, CouplantMM: 1.5,
	}
}

// Validate reports every setting that no examination has, by name.
func (ex Exam) Validate() error {
	var problems []error
	within := func(name string, v, lo, hi float64) {
		if !(v >= lo && v <= hi) {
			problems = append(problems, fmt.Errorf("scanner: exam %s is %g: must be %g to %g", name, v, lo, hi))
		}
	}
	within("GainDB", ex.GainDB, -40, 40)
	within("DynamicRangeDB", ex.DynamicRangeDB, 20, 120)
	within("FrequencyMHz", ex.FrequencyMHz, 1, 20)
	within("AttenuationScale", ex.AttenuationScale, 0, 3)
	within("DepthMM", ex.DepthMM, 5, 200)
	within("SoundSpeedError", ex.SoundSpeedError, -0.1, 0.1)
	within("CouplantMM", ex.CouplantMM, 0.1, 20)
	within("Precompression", ex.Precompression, 0, 5)
	for i, db := range ex.SliderDB {
		within(fmt.Sprintf("SliderDB[%d]", i), db, -30, 30)
	}
	return errors.Join(problems...)
}
