package validation

import (
	"context"
	"fmt"
	"math"
	"slices"

	"elastography/data/scanner"
)

// bench holds a scanner for measurement.
type bench struct {
	s      scanner.Scanner
	device func(scanner.Scanner) Device // of a scanner with these settings
}

// speckle reads fully developed speckle. A display smooths it (its video filter averages neighbouring samples, its scan
// converter interpolates decibels), so the receiver is oversampled for this one: a wide-band probe listening to a slow
// pulse has more than twenty samples a speckle.
func (b bench) speckle(ctx context.Context) (Part, error) {
	const frames = 6
	s := quiet(b.s)
	s.FrequencyMHz, s.BandwidthPercent, s.NominalAttenDBCmMHz, s.DynamicRangeDB, s.ReferenceGrey = 20, 120, 0, 80, 0.75
	var dB []float64
	for seed := range uint64(frames) {
		m := block(44, 60, 25)
		clear(m.AttenDBCmMHz)
		ex := s.PlainExam(seed)
		ex.FrequencyMHz = max(2, b.s.FrequencyMHz/2)
		e, err := b.readEcho(ctx, s, m, ex)
		if err != nil {
			return Part{}, err
		}
		for i, v := range e.dB {
			if z, x := depthMM(m, i), lateralMM(m, i); !math.IsNaN(v) && z > 12 && z < 38 && math.Abs(x) < 20 {
				dB = append(dB, v)
			}
		}
	}
	st := amplitudeStatistics(dB, s.DynamicRangeDB/255)
	plain, err := b.readEcho(ctx, quiet(b.s), block(44, 60, 25), quiet(b.s).PlainExam(1))
	if err != nil {
		return Part{}, err
	}
	var shown []float64
	for i, v := range plain.dB {
		if z, x := depthMM(plain.m, i), lateralMM(plain.m, i); !math.IsNaN(v) && z > 12 && z < 38 && math.Abs(x) < 15 {
			shown = append(shown, v)
		}
	}
	samples := fmt.Sprintf("%d pixels of %d frames", len(dB), frames)
	return Part{
		Rows: []Row{
			judged("envelope SNR of homogeneous tissue", "", st.snr, limits{1.86, 1.96}, "theory (Rayleigh): 1.91 ± 0.05", samples),
			judged("Kolmogorov-Smirnov distance to Rayleigh", "", st.distance, atMost(0.01), "theory", samples),
			tested("log-SD of the envelope 5.57 ± 0.15 dB", "TestHomogeneousTissueGivesRayleighSpeckle"),
			reported("SNR of the displayed speckle, video filter and scan conversion included", "", amplitudeStatistics(shown, quiet(b.s).DynamicRangeDB/255).snr, "", "1 frame"),
		},
		Curves: map[string]Curve{"speckle": st.density, "speckle/theory": rayleigh(st.density.X)},
	}, nil
}

type amplitudes struct {
	snr, distance float64
	density       Curve // of amplitude over root-mean-square amplitude
}

// amplitudeStatistics describes amplitudes given in dB, quantised to steps of stepDB.
func amplitudeStatistics(dB []float64, stepDB float64) amplitudes {
	sorted := slices.Sorted(slices.Values(dB))
	var sum, square float64
	for _, v := range sorted {
		a := math.Pow(10, v/20)
		sum, square = sum+a, square+a*a
	}
	n := float64(len(sorted))
	rms := math.Sqrt(square / n)
	out := amplitudes{snr: sum / n / math.Sqrt(square/n-sum/n*sum/n)}
	const width, bins = 0.1, 30
	count := make([]float64, bins)
	for i, v := range sorted {
		// Between two grey levels the distribution is known only at their border.
		if i+1 < len(sorted) && sorted[i+1] > v {
			u := math.Pow(10, (v+stepDB/2)/20) / rms
			out.distance = max(out.distance, math.Abs(1-math.Exp(-u*u)-float64(i+1)/n))
		}
		if k := int(math.Pow(10, v/20) / rms / width); k < bins {
			count[k]++
		}
	}
	for k, c := range count {
		out.density.X, out.density.Y = append(out.density.X, (float64(k)+0.5)*width), append(out.density.Y, c/n/width)
	}
	return out
}

// rayleigh is the density of amplitude over root-mean-square amplitude.
func rayleigh(u []float64) Curve {
	c := Curve{X: u}
	for _, v := range u {
		c.Y = append(c.Y, 2*v*math.Exp(-v*v))
	}
	return c
}

// targets images discs of known contrast and a cyst, each beside the same speckle without them.
func (b bench) targets(ctx context.Context) (Part, error) {
	const frames, depth, size = 3, 22.0, 8.0
	s := quiet(b.s)
	contrast := []struct{ xMM, dB float64 }{{-14, -6}, {-4.7, -3}, {4.7, 3}, {14, 6}}
	got := make([]float64, len(contrast))
	var cyst, behind float64
	for seed := range uint64(frames) {
		plain, targets, hole := block(40, 60, 25), block(40, 60, 25), block(40, 60, 25)
		for _, c := range contrast {
			within(targets, depth, c.xMM, size, func(i int) { targets.BackscatterDB[i] = float32(c.dB) })
		}
		within(hole, depth, 0, 6, func(i int) { hole.BackscatterDB[i], hole.AttenDBCmMHz[i] = -200, 0 })
		var images [3]echo
		for k, m := range []*scanner.Medium{plain, targets, hole} {
			var err error
			if images[k], err = b.readEcho(ctx, s, m, s.PlainExam(seed)); err != nil {
				return Part{}, err
			}
		}
		change := func(k int, where func(z, x float64) bool) float64 {
			return (images[k].powerDB(where) - images[0].powerDB(where)) / frames
		}
		for k, c := range contrast {
			got[k] += change(1, disc(depth, c.xMM, size-2.5))
		}
		cyst += change(2, disc(depth, 0, 3))
		behind += change(2, disc(depth+8, 0, 3))
	}
	samples := fmt.Sprintf("%d frames with and without", frames)
	var part Part
	for k, c := range contrast {
		part.Rows = append(part.Rows, judged(fmt.Sprintf("contrast of a %+.0f dB disc", c.dB), "dB", got[k], limits{c.dB - 0.5, c.dB + 0.5}, "phantom, ± 0.5 dB", samples))
	}
	// Behind 6 mm without attenuation the echo gains 2 x 6 mm x 0.5 dB/cm/MHz on the axis; the beam's cone softens it.
	most := 2 * 0.6 * 0.5 * b.s.FrequencyMHz
	part.Rows = append(part.Rows,
		judged("anechoic 6 mm cyst", "dB", cyst, atMost(-20), "phantom: at least 20 dB down", samples),
		judged("enhancement behind the cyst", "dB", behind, limits{0.4 * most, 1.2 * most}, "2 × 6 mm without 0.5 dB/cm/MHz, softened by the beam's cone", samples))
	return part, nil
}

// attenuation reads the loss of echo over depth against a reference of 0.5 dB/cm/MHz, as the reference-phantom method
// does, and the shadow of a stone.
func (b bench) attenuation(ctx context.Context) (Part, error) {
	const frames = 4
	s := quiet(b.s)
	profile := func(atten float32) ([]float64, error) {
		var sum []float64
		for seed := range uint64(frames) {
			m := block(38, 40, 25)
			for i := range m.AttenDBCmMHz {
				m.AttenDBCmMHz[i] = atten
			}
			e, err := b.readEcho(ctx, s, m, s.PlainExam(seed))
			if err != nil {
				return nil, err
			}
			if sum == nil {
				sum = make([]float64, 26)
			}
			for k := range sum {
				z := 10 + float64(k)
				sum[k] += e.powerDB(func(at, x float64) bool { return at >= z && at < z+1 && math.Abs(x) < 12 }) / frames
			}
		}
		return sum, nil
	}
	reference, err := profile(0.5)
	if err != nil {
		return Part{}, err
	}
	var part Part
	for _, want := range []float64{0.4, 0.7} {
		sample, err := profile(float32(want))
		if err != nil {
			return Part{}, err
		}
		var depth, loss []float64
		for k := range sample {
			depth, loss = append(depth, (10.5+float64(k))/10), append(loss, reference[k]-sample[k]) // cm, dB
		}
		got := 0.5 + slope(depth, loss)/2/b.s.FrequencyMHz
		part.Rows = append(part.Rows, judged(fmt.Sprintf("attenuation of %.1f dB/cm/MHz, by echo loss", want), "dB/cm/MHz", got, limits{want - 0.05, want + 0.05}, "phantom, ± 0.05", fmt.Sprintf("%d frames", frames)))
	}
	part.Rows = append(part.Rows, tested("attenuation by spectral shift ± 0.05 dB/cm/MHz", "TestAttenuationIsInTheSpectrum"))
	shadow, err := b.shadow(ctx)
	part.Rows = append(part.Rows, shadow...)
	return part, err
}

// slope is that of the least-squares line.
func slope(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// shadow looks behind a 3 mm stone: how dark, and how wide its edge is from 30 to 80 % of amplitude.
func (b bench) shadow(ctx context.Context) ([]Row, error) {
	const frames, stepMM, reach = 5, 0.25, 40
	s := quiet(b.s)
	with, without := make([]float64, reach), make([]float64, reach)
	for seed := range uint64(frames) {
		plain, stone := block(30, 40, 25), block(30, 40, 25)
		within(stone, 15, 0, 3, func(i int) { stone.AttenDBCmMHz[i] = 20 })
		for k, m := range []*scanner.Medium{plain, stone} {
			e, err := b.readEcho(ctx, s, m, s.PlainExam(seed))
			if err != nil {
				return nil, err
			}
			profile := without
			if k == 1 {
				profile = with
			}
			for i := range profile {
				profile[i] += math.Pow(10, e.powerDB(func(z, x float64) bool {
					return z > 21 && z < 26 && math.Abs(x) >= float64(i)*stepMM && math.Abs(x) < float64(i+1)*stepMM
				})/10)
			}
		}
	}
	amplitude := make([]float64, reach)
	for i := range amplitude {
		amplitude[i] = math.Sqrt(with[i] / without[i])
	}
	rises := func(level float64) float64 {
		for i, a := range amplitude {
			if a > level {
				return (float64(i) + 0.5) * stepMM
			}
		}
		return math.NaN()
	}
	samples := fmt.Sprintf("%d frames with and without", frames)
	return []Row{
		judged("shadow behind a 3 mm stone", "dB", 20*math.Log10((amplitude[0]+amplitude[1])/2), atMost(-10), "phantom: at least 10 dB", samples),
		judged("penumbra of the shadow, 30 to 80 % of amplitude", "mm", rises(0.8)-rises(0.3), limits{1, 6}, "phantom: edges of at least 1 mm", samples),
	}, nil
}
