package scanner

import (
	"context"
	"fmt"
	"math"
)

// BMode is a displayed echo image on the medium's grid, 8 bit, row-major.
type BMode struct {
	Height, Width int
	MMPerPx       float64
	Pix           []uint8
	// Inside tells which pixels the sector covers; Pix is 0 elsewhere.
	Inside []bool
}

// BMode images the medium's echoes: scatterers through the array's space-variant
// point-spread function, attenuation with shadows, boundaries, near field, noise,
// time-gain compensation, envelope, logarithm, grey map, scan conversion. It never
// reads EKPa or ViscosityPaS. plane names the noise streams; the same seed and
// plane give the same bytes whatever the number of goroutines.
//
// Errors name the parameter of the scanner, exam or medium that cannot be; a
// cancelled context ends the work early with its error.
func (s Scanner) BMode(ctx context.Context, m *Medium, ex Exam, plane string) (*BMode, error) {
	if err := s.check(m, ex); err != nil {
		return nil, err
	}
	g := s.newPolarGrid(m, ex)
	envelope, err := s.envelope(ctx, g, m, ex, plane)
	if err != nil {
		return nil, fmt.Errorf("scanner: B-mode of plane %q: %w", plane, err)
	}
	return s.display(g, m, ex, envelope), nil
}

func (s Scanner) check(m *Medium, ex Exam) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if err := ex.Validate(); err != nil {
		return err
	}
	return m.Validate()
}

// envelope forms the echo envelope on the polar grid after time-gain compensation,
// in units in which 0 dB speckle has a mean square of one.
func (s Scanner) envelope(ctx context.Context, g polarGrid, m *Medium, ex Exam, plane string) ([]float32, error) {
	a := newArray(s, ex.FrequencyMHz)
	stretch := 1 + ex.SoundSpeedError
	random := stream(ex.Seed, "echo/"+plane)

	power := g.resample(m, scatteringPower(m, stream(ex.Seed, "echo-clusters/"+plane)), stretch)
	mean, path := a.attenuation(g, m, ex)

	// A circular Gaussian field in baseband is what white scatterers, far denser
	// than a wavelength, look like to a band-limited pulse.
	field := make(iqImage, g.rows*g.lines)
	for i := range field {
		scale := float32(math.Sqrt(float64(power[i])/2)) * path[i]
		field[i] = complex(float32(random.NormFloat64())*scale, float32(random.NormFloat64())*scale)
	}
	boundaries := reflectivity(m, g)
	if boundaries != nil {
		boundaries = g.resample(m, boundaries, stretch)
		for i, v := range boundaries {
			boundaries[i] = v * path[i]
		}
	}

	envelope := make([]float32, len(field))
	for look := range s.CompoundLooks {
		bank, err := psfBank(ctx, a, g, mean, look, s.CompoundLooks)
		if err != nil {
			return nil, err
		}
		scatterers := field
		if boundaries != nil {
			scatterers = withBoundaries(g, bank, field, boundaries, boundaryPx*m.MMPerPx)
		}
		iq, err := convolve(ctx, g, bank, scatterers)
		if err != nil {
			return nil, err
		}
		levels := s.levels(a, g, bank, mean, look)
		levels.apply(g, iq, stream(ex.Seed, fmt.Sprintf("electronic-noise/%s/%d", plane, look)))
		addNearField(g, iq, s.NearFieldDB, ex.CouplantMM, stream(ex.Seed, "near-field/"+plane))
		for i, v := range iq {
			envelope[i] += float32(math.Sqrt(float64(real(v)*real(v) + imag(v)*imag(v))))
		}
	}
	sliders := sliderGain(g, ex)
	for row := range g.rows {
		gain := sliders[row] / float32(s.CompoundLooks)
		for i := row * g.lines; i < (row+1)*g.lines; i++ {
			envelope[i] *= gain
		}
	}
	return envelope, ctx.Err()
}

// withBoundaries adds coherent boundaries to the scatterers. Their phase is that of
// a wavefront-parallel sheet, so they add up over the beam where speckle does not.
// A band boundaryPx wide at normal incidence gives the level asked for.
func withBoundaries(g polarGrid, bank []zonePSF, field iqImage, boundaries []float32, thicknessMM float64) iqImage {
	sheet := make([]float64, len(bank))
	for i, z := range bank {
		sheet[i] = z.sheetResponse(thicknessMM / g.stepMM)
	}
	out := make(iqImage, len(field))
	zone := 0
	for row := range g.rows {
		for zone < len(bank)-1 && g.depth(row) > bank[zone].depthMM {
			zone++
		}
		scale := float32(1 / sheet[zone])
		for i := row * g.lines; i < (row+1)*g.lines; i++ {
			out[i] = field[i] + complex(boundaries[i]*scale, 0)
		}
	}
	return out
}

// sheetResponse is the amplitude of the echo of a sheet of unit reflectivity, a
// number of samples thick, lying across the beam.
func (z zonePSF) sheetResponse(samples float64) float64 {
	var re, im float64
	for t := range z.taps {
		share := min(max((samples+1)/2-math.Abs(float64(t-z.taps/2)), 0), 1)
		for j := range z.half + 1 {
			w := share
			if j > 0 {
				w *= 2
			}
			re += w * float64(z.re[j*z.taps+t])
			im += w * float64(z.im[j*z.taps+t])
		}
	}
	return math.Hypot(re, im)
}
